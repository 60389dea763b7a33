"""Answers on their shelf, opened, with what this process has in mind before it. Never raises."""

from collections.abc import Sequence

from penstock_config.cache_layout import Shelves
from penstock_sidecar.cache.entry import Entry, Seal
from penstock_sidecar.cache.flight.part import Fence
from penstock_sidecar.cache.memory import AnswerMemory
from penstock_sidecar.cache.shelf import Laid, Shelf


class Entries:
    """Of one namespace's key. Entries larger than `most_bytes`, sealed, are not kept."""

    def __init__(self, seal: Seal, shelf: Shelf, memory: AnswerMemory, most_bytes: int) -> None:
        self._seal = seal
        self._shelf = shelf
        self._memory = memory
        self._most_bytes = most_bytes

    def remembered(self, key: str) -> Entry | None:
        """As it was a few seconds ago at most: another sidecar may have a younger one."""
        return self._memory.get(key)

    async def get(self, shelves: Shelves, name: str) -> Entry | None:
        """As it lies in Redis. Gets of one tick of the loop travel together. What is not ours is
        dropped."""
        key = shelves.answer(name)
        data = await self._shelf.get(key)
        entry = self._seal.opened(key, data) if data is not None else None
        if entry:
            self._memory.put(key, entry)
        else:
            self._memory.drop(key)
            if data is not None:
                await self._shelf.drop(shelves, (name,))
        return entry

    def forget(self, shelves: Shelves, names: Sequence[str]) -> None:
        """In this process."""
        for name in names:
            self._memory.drop(shelves.answer(name))

    async def drop(self, shelves: Shelves, names: Sequence[str]) -> None:
        self.forget(shelves, names)
        await self._shelf.drop(shelves, names)

    async def put(
        self,
        place: tuple[Shelves, str],
        entry: Entry,
        lifetime_ms: int,
        fence: Fence | None = None,
    ) -> Laid:
        """Remembers it, too: while Redis is away, nowhere else. What is too large is fenced off."""
        shelves, name = place
        key = shelves.answer(name)
        sealed = self._seal.sealed(key, entry)
        if len(sealed) > self._most_bytes:
            return Laid(fenced=True)
        laid = await self._shelf.put(place, sealed, lifetime_ms, fence)
        if not laid.fenced:
            self._memory.put(key, entry)
        if laid.dropped:
            await self.drop(shelves, laid.dropped)
        return laid
