"""How embedders hear of each other's changes: one stream per namespace, read every so often.

It is polled: a blocking read would need a connection for each namespace, and in a Cluster streams
of different namespaces cannot be read in one command.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, Literal, Protocol
from uuid import uuid4

from penstock_config.cache_layout import vector_news
from penstock_embedder.errors import Refused
from penstock_embedder.redis_client import Client
from penstock_embedder.vectors import translated

Op = Literal["add", "remove"]
MAX_ENTRIES: Final = 10_000
"""Kept in a stream, about."""
LIFE_MS: Final = 86_400_000
"""Of a stream without news."""
COUNT: Final = 500
"""Read at once."""
LOST_SECONDS: Final = 5.0
"""Without reading so long, too much may have been missed: everything is loaded anew."""
AGAIN: Final = 40
"""Polls between two looks whether the streams are still the same ones."""
NONE: Final = "0-0"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to vectors. Nothing in `members` or `names`: all of them."""

    op: Op
    shelf: str
    members: tuple[str, ...]
    names: tuple[str, ...]


class Listener(Protocol):
    """Who holds copies."""

    def namespaces(self) -> Iterable[str]:
        """Of which there are copies."""
        ...

    async def changed(self, namespace: str, change: Change) -> None: ...

    def lost(self, namespace: str) -> None:
        """Its copies may be wrong."""
        ...


class News:
    """One embedder's ear and mouth."""

    def __init__(self, client: Client, cluster: str) -> None:
        self._client: Any = client
        self._cluster = cluster
        self._me = uuid4().hex[:12]
        self._cursors: dict[str, str] = {}
        self._heard = monotonic()

    async def follow(self, namespace: str) -> None:
        """From now on nothing is missed: to be called before anything is read. Raises `Refused`."""
        if namespace not in self._cursors:
            self._cursors.setdefault(namespace, await self._last(namespace))

    async def tell(self, namespace: str, change: Change) -> None:
        """To all others. Raises `Refused`."""
        fields = {
            "op": change.op,
            "shelf": change.shelf,
            "partition": ",".join(change.members),
            "name": ",".join(change.names),
            "by": self._me,
        }
        key = self._key(namespace)
        with translated():
            await self._client.xadd(key, fields, maxlen=MAX_ENTRIES, approximate=True)
            await self._client.pexpire(key, LIFE_MS)

    async def listen(self, listener: Listener, seconds: float) -> None:
        """Until cancelled, also where a cancellation was lost on its way: Python 3.11 loses some
        within redis-py's calls (`asyncio.wait_for`, bpo-37658)."""
        own = asyncio.current_task()
        for turn in _turns():
            await asyncio.sleep(seconds)
            try:
                await self.hear(listener, look=turn % AGAIN == 0)
            except Refused:
                self._check_lost(listener)
            if own and own.cancelling():
                raise asyncio.CancelledError

    async def hear(self, listener: Listener, *, look: bool = False) -> None:
        """All that is new. `look`: whether the streams are still there, too. Raises `Refused`."""
        held = set(listener.namespaces())
        for namespace in self._cursors.keys() - held:
            del self._cursors[namespace]
        for namespace in list(self._cursors):
            if look:
                await self._look(listener, namespace)
            await self._hear_of(listener, namespace)
        self._check_lost(listener)
        self._heard = monotonic()

    async def _hear_of(self, listener: Listener, namespace: str) -> None:
        while True:
            cursor = self._cursors[namespace]
            with translated():
                entries = await self._client.xrange(
                    self._key(namespace), min=f"({cursor}", count=COUNT
                )
            for number, fields in entries:
                if fields.get(b"by", b"").decode() != self._me and (change := _change(fields)):
                    await listener.changed(namespace, change)
                self._cursors[namespace] = number.decode()
            if len(entries) < COUNT:
                return

    async def _look(self, listener: Listener, namespace: str) -> None:
        """A stream that is behind what was read of it is a new one: its Redis lost data."""
        if _number(await self._last(namespace)) < _number(self._cursors[namespace]):
            logger.warning("news.lost", extra={"namespace": namespace})
            self._cursors[namespace] = NONE
            listener.lost(namespace)

    async def _last(self, namespace: str) -> str:
        with translated():
            entries = await self._client.xrevrange(self._key(namespace), count=1)
        return entries[0][0].decode() if entries else NONE

    def _check_lost(self, listener: Listener) -> None:
        if self._cursors and monotonic() - self._heard > LOST_SECONDS:
            logger.warning("news.lost", extra={"namespaces": len(self._cursors)})
            for namespace in list(self._cursors):
                listener.lost(namespace)
                del self._cursors[namespace]

    def _key(self, namespace: str) -> str:
        return vector_news(self._cluster, namespace)


def _turns() -> Iterable[int]:
    turn = 0
    while True:
        turn += 1
        yield turn


def _change(fields: dict[bytes, bytes]) -> Change | None:
    """`None`: of a newer version, or nobody's."""
    op, shelf = fields.get(b"op", b"").decode(), fields.get(b"shelf", b"").decode()
    if not shelf or op not in ("add", "remove"):
        return None
    return Change(
        "add" if op == "add" else "remove",
        shelf,
        _split(fields.get(b"partition", b"")),
        _split(fields.get(b"name", b"")),
    )


def _split(text: bytes) -> tuple[str, ...]:
    return tuple(part for part in text.decode().split(",") if part)


def _number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("-"))
