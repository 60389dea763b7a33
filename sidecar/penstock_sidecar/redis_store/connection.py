"""One connection that everybody shares: replies come back in the order of the commands.

Commands of one tick of the loop are written together. A caller that gives up (cancelled, or past
its deadline) leaves its place in the queue, so that its reply is dropped and nobody else's shifts.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, cast

import hiredis

from penstock_sidecar.store import Argument

MAX_IN_FLIGHT: Final = 10_000
_NOTHING: Final = object()

Pending = asyncio.Future[object]
# the stub of hiredis says: a tuple of one
_pack: Callable[[tuple[Argument, ...]], bytes] = hiredis.pack_command  # type: ignore[assignment]


class ConnectionLost(ConnectionError):
    """The connection ended, or cannot take more. `sent`: the command may have reached Redis."""

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.sent = sent


class Connection(asyncio.Protocol):
    """RESP2 over any transport. Futures fail with `hiredis.ReplyError` or `ConnectionLost`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(notEnoughData=_NOTHING)
        self._pending: deque[Pending] = deque()
        self._unsent: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self.lost = asyncio.Event()

    def send(self, *arguments: Argument) -> Pending:
        """Queue one command; raises `ConnectionLost` when it cannot be."""
        pending: Pending = self._loop.create_future()
        self.put(pending, arguments)
        return pending

    def put(self, pending: Pending, arguments: tuple[Argument, ...]) -> None:
        """As `send`, for a future that somebody waits for already."""
        if self.lost.is_set():
            raise ConnectionLost("closed", sent=False)
        if len(self._pending) >= MAX_IN_FLIGHT:
            raise ConnectionLost("too many commands in flight", sent=False)
        if not self._unsent:
            self._loop.call_soon(self._write)
        self._unsent.append(_pack(arguments))
        self._pending.append(pending)

    def owes(self, pending: Pending) -> bool:
        """Whether its reply has not come yet, wanted or not."""
        return pending in self._pending

    def abort(self) -> None:
        """Ends at once; whatever waits fails."""
        if self._transport:
            self._transport.abort()
        self._end(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are not subclasses of it

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not _NOTHING:
                _resolve(self._pending.popleft(), reply)
        except (hiredis.ProtocolError, IndexError):  # not Redis, or a reply to nothing
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)

    def _write(self) -> None:
        if self._transport and not self.lost.is_set():
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def _end(self, cause: Exception | None) -> None:
        """What had not been written yet was never sent: the last of those that wait."""
        self.lost.set()
        while self._pending:
            sent = len(self._pending) > len(self._unsent)
            pending = self._pending.popleft()
            if not pending.done():
                pending.set_exception(ConnectionLost(str(cause or "closed"), sent=sent))
                pending.exception()  # a future that nobody awaits any more is no news


def _resolve(pending: Pending, reply: object) -> None:
    if pending.done():
        return
    if isinstance(reply, hiredis.ReplyError):
        pending.set_exception(reply)
    else:
        pending.set_result(reply)
