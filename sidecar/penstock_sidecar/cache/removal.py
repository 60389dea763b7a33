"""Takes answers away: those that a caller could be given, and no others.

Unlike all else in this cache, it says when it could not: who removes a bad answer must know.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from penstock_config.cache_layout import Shelves
from penstock_sidecar.cache.entries import Entries
from penstock_sidecar.cache.meaning import Semantic
from penstock_sidecar.cache.semantic.embedder import EmbedderUnavailable
from penstock_sidecar.cache.shelf import Shelf

PAGE: Final = 500
"""Names at a time: reading so many takes the loop about a millisecond."""
OPENED_AT_ONCE: Final = 50
"""Answers, where each must be looked at."""


@dataclass(frozen=True, slots=True)
class Everything:
    """All of the scope."""


@dataclass(frozen=True, slots=True)
class ById:
    """As `x-penstock-cache-key` gave it."""

    id: str


@dataclass(frozen=True, slots=True)
class ByModel:
    """The name of the model that answered."""

    model: str


@dataclass(frozen=True, slots=True)
class BySimilarity:
    """Answers to questions that mean about the same, whatever else was asked with them."""

    text: str
    least: float


Listed = Everything | ById | ByModel
Which = Listed | BySimilarity


@dataclass(frozen=True, slots=True)
class Removal:
    """Of one policy. Raises `StoreUnavailable`; by similarity also what the semantic level does."""

    shelf: Shelf
    entries: Entries
    key_id: Callable[[str], str]
    semantic: Semantic | None

    async def remove(self, shelves: Shelves, which: Which) -> int:
        """Says how many there were."""
        if isinstance(which, BySimilarity):
            return await self._similar(shelves, which)
        pages = [page async for page in self._pages(shelves, which)]
        removed = sum([await self._remove(shelves, names) for names in pages])
        if self.semantic and which == Everything():
            self.semantic.removed(shelves, None)
        return removed

    async def _similar(self, shelves: Shelves, which: BySimilarity) -> int:
        """As many at a time as the embedder tells."""
        if self.semantic is None:
            raise EmbedderUnavailable("away")
        removed, complete = 0, False
        while not complete:
            names, complete = await self.semantic.similar(shelves, which.text, which.least)
            count = await self._remove(shelves, names)
            removed, complete = removed + count, complete or not names
        return removed

    async def _remove(self, shelves: Shelves, names: Sequence[str]) -> int:
        """Here first: nobody is given it while Redis is asked, and again after, for whoever had
        just read it."""
        self.entries.forget(shelves, names)
        removed = await self.shelf.remove(shelves, names)
        self.entries.forget(shelves, names)
        if self.semantic:
            self.semantic.removed(shelves, names)
        return removed

    async def _pages(self, shelves: Shelves, which: Listed) -> AsyncIterator[Sequence[str]]:
        start = 0
        while names := await self.shelf.names(shelves, start, PAGE):
            if meant := await self._meant(shelves, names, which):
                yield meant
            start += len(names)

    async def _meant(self, shelves: Shelves, names: Sequence[str], which: Listed) -> Sequence[str]:
        match which:
            case Everything():
                return names
            case ById(id_):
                return [name for name in names if self.key_id(shelves.answer(name)) == id_]
            case ByModel(model):
                return await self._by(shelves, names, model)

    async def _by(self, shelves: Shelves, names: Sequence[str], model: str) -> Sequence[str]:
        meant: list[str] = []
        for first in range(0, len(names), OPENED_AT_ONCE):
            some = names[first : first + OPENED_AT_ONCE]
            found = await asyncio.gather(*(self.entries.get(shelves, name) for name in some))
            pairs = zip(some, found, strict=True)
            meant += [name for name, entry in pairs if entry and entry.model == model]
        return meant
