"""What is done for each call: texts into vectors, vectors into matches."""

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol

from penstock_config.embedder import (
    MAX_NAMES,
    Match,
    NearestAnswer,
    NearestRequest,
    RemoveAnswer,
    RemoveRequest,
    SimilarAnswer,
    SimilarMatch,
    SimilarRequest,
    VectorAnswer,
    VectorRequest,
)
from penstock_embedder.index.partition import Partition
from penstock_embedder.index.search import Found, nearest
from penstock_embedder.index.vector import Vector
from penstock_embedder.kept import Kept, Place
from penstock_embedder.library import Library, Now
from penstock_embedder.memo import Memo
from penstock_embedder.news import Change, News
from penstock_embedder.vectors import Vectors


class SearchObserver(Protocol):
    """Hears of searches."""

    def searched(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Means:
    """What answering needs."""

    memo: Memo
    library: Library
    vectors: Vectors
    news: News
    searchers: ThreadPoolExecutor
    observer: SearchObserver
    now: Now


class Answering:
    """One per process. `deadline` is monotonic time; every call may raise `Refused`."""

    def __init__(self, means: Means, model: str) -> None:
        self._means = means
        self._model = model

    async def nearest(self, of: str, asked: NearestRequest, deadline: float) -> NearestAnswer:
        """Embeds while the partition is loaded, then searches."""
        place = self._place(of, asked.shelf, asked.partition)
        vector, partition = await asyncio.gather(
            self._means.memo.vector(of, asked.text, deadline),
            self._means.library.partition(place),
        )
        found = await self._search(partition, vector, asked.k, asked.least)
        matches = (Match(name=each.name, similarity=each.similarity) for each in found)
        return NearestAnswer(matches=tuple(matches))

    async def keep(self, of: str, asked: VectorRequest, deadline: float) -> VectorAnswer:
        """In Redis, in memory, then to the others."""
        place = self._place(of, asked.shelf, asked.partition)
        vector = await self._means.memo.vector(of, asked.text, deadline)
        kept = Kept(asked.name, vector, asked.expires_at_ms)
        if not await self._means.vectors.keep(place, kept):
            return VectorAnswer(kept=False)
        self._means.library.put(place, kept)
        await self._means.news.tell(of, Change("add", place.shelf, (place.member,), (kept.name,)))
        return VectorAnswer(kept=True)

    async def remove(self, of: str, asked: RemoveRequest) -> RemoveAnswer:
        """Those of other models too."""
        places = await self._known(of, asked.shelf, asked.partition)
        removed = await self._remove(places, asked.names) if places else 0
        if places:
            members = tuple(place.member for place in places)
            await self._means.news.tell(
                of, Change("remove", asked.shelf, members, asked.names or ())
            )
        return RemoveAnswer(removed=removed)

    async def similar(self, of: str, asked: SimilarRequest, deadline: float) -> SimilarAnswer:
        """One partition after the other."""
        vector = await self._means.memo.vector(of, asked.text, deadline)
        matches: list[SimilarMatch] = []
        for place in await self._known(of, asked.shelf, asked.partition):
            if place != self._place(of, asked.shelf, place.partition):
                continue  # of another model: its vectors mean nothing beside ours
            partition = await self._means.library.partition(place)
            found = await self._search(partition, vector, MAX_NAMES + 1, asked.least)
            matches += _in_partition(found, place.partition)
        matches.sort(key=lambda match: match.similarity, reverse=True)
        return SimilarAnswer(matches=tuple(matches[:MAX_NAMES]), complete=len(matches) <= MAX_NAMES)

    async def _known(self, of: str, shelf: str, partition: str | None) -> list[Place]:
        """Of a shelf, or of one partition of it. A Redis that is full may have dropped the set that
        names them, and kept the vectors: so those in memory and the one asked for count as well."""
        found = {*await self._means.vectors.places(of, shelf)}
        found |= {*self._means.library.held_of(of, shelf)}
        if partition is None:
            return sorted(found, key=lambda place: place.member)
        own = self._place(of, shelf, partition)
        return [own, *(place for place in found - {own} if place.partition == partition)]

    async def _remove(self, places: Sequence[Place], names: tuple[str, ...] | None) -> int:
        if names is None:
            return sum([await self._drop(place) for place in places])
        removed = await self._means.vectors.remove(places, names) if names else 0
        for place in places:
            self._means.library.remove(place, names)
        return removed

    async def _drop(self, place: Place) -> int:
        removed = await self._means.vectors.drop(place)
        self._means.library.drop(place)
        return removed

    async def _search(
        self, partition: Partition, vector: Vector, k: int, least: float
    ) -> list[Found]:
        """Off the loop. What went meanwhile is left out."""
        view, now = partition.view(), self._means.now()

        def search() -> tuple[list[Found], float]:
            began = perf_counter()
            found = nearest(view, vector, k, least, now)
            return found, perf_counter() - began

        loop = asyncio.get_running_loop()
        found, seconds = await loop.run_in_executor(self._means.searchers, search)
        self._means.observer.searched(seconds)
        return [each for each in found if each.name in partition]

    def _place(self, of: str, shelf: str, partition: str) -> Place:
        return Place.of(of, shelf, partition, self._model)


def _in_partition(found: Iterable[Found], partition: str) -> Iterable[SimilarMatch]:
    for each in found:
        yield SimilarMatch(name=each.name, similarity=each.similarity, partition=partition)
