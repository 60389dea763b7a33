"""Where sealed answers lie in Redis (`penstock_config.cache_layout`). A shelf forgets rather than
fails: Redis away is nothing found and nothing kept, and the store's breaker tells of it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from penstock_config.cache_layout import Shelves
from penstock_sidecar.cache.flight.part import Fence
from penstock_sidecar.store import Store, StoreUnavailable, script_of

MOST_ENTRIES: Final = 100_000
"""Of one scope: what the embedder's targets are measured at."""


KEEP: Final = script_of(__package__, "keep")


@dataclass(frozen=True, slots=True)
class Laid:
    """What became of an answer. `fenced`: it came too late, and nobody is to have it. `dropped` is
    None where Redis has not got it; else it says who is to go, because there are too many."""

    fenced: bool
    dropped: Sequence[str] | None = None


class Shelf:
    """One command or script each; what is asked for in one tick of the loop travels together."""

    def __init__(self, store: Store, most_entries: int = MOST_ENTRIES) -> None:
        self._store = store
        self._most_entries = most_entries

    async def get(self, key: str) -> bytes | None:
        try:
            found = await self._store.command("GET", key)
        except StoreUnavailable:
            return None
        return found if isinstance(found, bytes) else None

    async def put(
        self,
        place: tuple[Shelves, str],
        sealed: bytes,
        lifetime_ms: int,
        fence: Fence | None = None,
    ) -> Laid:
        """Lays an answer by its name."""
        shelves, name = place
        keys = (shelves.answer(name), shelves.index, *((fence.key,) if fence else ()))
        number = (fence.number,) if fence else ()
        arguments = (sealed, lifetime_ms, name, self._most_entries, *number)
        try:
            reply = await self._store.script(KEEP, keys, arguments)
        except StoreUnavailable:
            return Laid(fenced=False)
        if not isinstance(reply, list):
            return Laid(fenced=True)
        return Laid(fenced=False, dropped=[name.decode() for name in reply])

    async def drop(self, shelves: Shelves, names: Sequence[str]) -> None:
        if not names:
            return
        try:
            await self._store.command("DEL", *map(shelves.answer, names))
        except StoreUnavailable:
            return

    async def names(self, shelves: Shelves, start: int, count: int) -> Sequence[str]:
        """Of a scope's answers, those first that expire first. Raises `StoreUnavailable`."""
        found = await self._store.command("ZRANGE", shelves.index, start, start + count - 1)
        return [name.decode() for name in found] if isinstance(found, list) else []

    async def remove(self, shelves: Shelves, names: Sequence[str]) -> int:
        """How many there were of these. Raises `StoreUnavailable`."""
        if not names:
            return 0
        removed, _ = await asyncio.gather(
            self._store.command("DEL", *map(shelves.answer, names)),
            self._store.command("ZREM", shelves.index, *names),
        )
        return removed if isinstance(removed, int) else 0
