"""A TCP proxy that can be made bad while it runs: late, narrow, cut, reset, frozen, a black hole.

proxy.to_client.latency_seconds = 0.5      answers come half a second later
proxy.to_server.bytes_per_second = 10_000  a narrow line
proxy.to_client.freeze()                   nothing comes through; it does after `thaw`
proxy.to_client.swallows = True            commands are done, their answers are lost
await proxy.cut()                          connections end, new ones are refused
await proxy.reset()                        connections end with a RST, new ones are welcome
await proxy.mend()                         as new
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from tests.fakes.listening import all_known
from tests.ports import free_port

PIECE_BYTES: Final = 65536
MOST_PIECES: Final = 1024
"""Of one direction, on their way."""
NO_LINGER: Final = struct.pack("ii", 1, 0)

Piece = tuple[float, bytes]
"""When it may arrive, by the loop's clock. No bytes is the end."""


@dataclass(slots=True)
class Way:
    """What happens to bytes in one direction, of every connection."""

    latency_seconds: float = 0
    bytes_per_second: float | None = None
    swallows: bool = False
    """What comes in is lost. `mend` ends the connections that lost something."""
    _flowing: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._flowing.set()

    def freeze(self) -> None:
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    def mend(self) -> None:
        self.latency_seconds, self.bytes_per_second, self.swallows = 0, None, False
        self.thaw()

    async def pass_through(self, due: float, size: int) -> None:
        """Returns when so many bytes may arrive."""
        wait = due - asyncio.get_running_loop().time()
        if self.bytes_per_second:
            wait = max(0, wait) + size / self.bytes_per_second
        if wait > 0:
            await asyncio.sleep(wait)
        await self._flowing.wait()


class _Connection:
    """Two sockets and what is on its way between them."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self._writers = writers
        self.lost_bytes = False

    def abort(self, *, rst: bool = False) -> None:
        for writer in self._writers:
            if rst and (raw := writer.get_extra_info("socket")):
                with contextlib.suppress(OSError):  # the other side was faster
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            writer.transport.abort()

    async def carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way
    ) -> None:
        """One direction. Pieces keep their order; at its end both sockets are closed."""
        pieces: asyncio.Queue[Piece] = asyncio.Queue(MOST_PIECES)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take(reader, way, pieces))
            tasks.create_task(self._give(writer, way, pieces))

    async def _take(
        self, reader: asyncio.StreamReader, way: Way, pieces: asyncio.Queue[Piece]
    ) -> None:
        data = b"some"
        while data:
            try:
                data = await reader.read(PIECE_BYTES)
            except ConnectionError:
                data = b""
            if way.swallows and data:
                self.lost_bytes = True
            else:
                due = asyncio.get_running_loop().time() + way.latency_seconds
                await pieces.put((due, data))

    async def _give(
        self, writer: asyncio.StreamWriter, way: Way, pieces: asyncio.Queue[Piece]
    ) -> None:
        data = b"some"
        while data:
            due, data = await pieces.get()
            await way.pass_through(due, len(data))
            with contextlib.suppress(ConnectionError):
                writer.write(data)
                await writer.drain()
        for ending in self._writers:
            ending.close()


class Proxy:
    """In front of one server, on a port of 127.0.0.1. Made by `proxied`."""

    def __init__(self, target_url: str) -> None:
        self._target = urlsplit(target_url)
        self._port = free_port()
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], _Connection] = {}
        self.to_server = Way()
        self.to_client = Way()

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        """The target's, with this port."""
        return urlunsplit(self._target._replace(netloc=f"127.0.0.1:{self._port}"))

    @property
    def connections(self) -> int:
        return len(self._connections)

    async def mend(self) -> None:
        """All goes through at once, new connections are welcome."""
        await self._end(lambda connection: connection.lost_bytes)
        self.to_server.mend()
        self.to_client.mend()
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port)

    async def cut(self) -> None:
        """Connections end, new ones are refused."""
        if self._server:
            self._server.close()
            self._server = None
            await all_known()
        await self._end(lambda _: True)

    async def reset(self) -> None:
        """Both sides of every connection see a RST."""
        await self._end(lambda _: True, rst=True)

    def freeze(self) -> None:
        """Connections stay, new ones are accepted, and nothing comes through until `mend`."""
        self.to_server.freeze()
        self.to_client.freeze()

    def swallow(self) -> None:
        """A black hole: all that is said is lost."""
        self.to_server.swallows = self.to_client.swallows = True

    async def _end(self, which: Callable[[_Connection], bool], *, rst: bool = False) -> None:
        ending = {t: c for t, c in self._connections.items() if which(c)}
        for task, connection in ending.items():
            connection.abort(rst=rst)
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections[task] = _Connection(writer)
        try:
            there_reader, there = await asyncio.open_connection(
                self._target.hostname, self._target.port
            )
            connection = self._connections[task] = _Connection(writer, there)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(connection.carry(reader, there, self.to_server))
                tasks.create_task(connection.carry(there_reader, writer, self.to_client))
        except OSError:
            pass  # the target is away: so is the proxy, as the `abort` below says
        except asyncio.CancelledError:
            pass  # by `_end`; asyncio 3.11 logs a cancelled handler as an error
        finally:
            self._connections.pop(task).abort()


@contextlib.asynccontextmanager
async def proxied(target_url: str) -> AsyncIterator[Proxy]:
    """In front of a server, until the block ends."""
    proxy = Proxy(target_url)
    await proxy.mend()
    try:
        yield proxy
    finally:
        await proxy.cut()
