"""The partitions in memory: loaded when first asked for, kept current, bounded in bytes."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from penstock_embedder.errors import Refused
from penstock_embedder.index.partition import Partition
from penstock_embedder.kept import Kept, Place
from penstock_embedder.news import Change, News
from penstock_embedder.vectors import Vectors

SWEEP_SECONDS: Final = 30
LEAST_BYTES: Final = 64 * 1024
"""What a partition counts for at least, so that not any number of empty ones is held: less than the
first slab at 384 dimensions, and 16,384 in a GiB are looked through in milliseconds."""
Now = Callable[[], int]
"""Milliseconds of the Unix epoch."""
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Held:
    """A partition, and what is told of it while it is being loaded."""

    partition: Partition
    loading: asyncio.Task[None] | None = None
    gone: set[str] = field(default_factory=set)
    """Removed during the load: an older reply must not bring them back."""
    bytes: int = 0
    """As it counts in the library's."""
    sketching: bool = False
    stale: bool = False
    """All of it was removed during the load, which then begins again."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of what is in memory."""

    max_bytes: int
    sketch_entries: int
    """A partition so large is searched by way of a sketch."""


class Library:
    """All calls on the loop. Who has a partition may search it after it was let go."""

    def __init__(
        self, vectors: Vectors, news: News, dimension: int, bounds: Bounds, now: Now
    ) -> None:
        self._vectors = vectors
        self._news = news
        self._dimension = dimension
        self._bounds = bounds
        self._now = now
        self._held: OrderedDict[Place, Held] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self.bytes = 0

    @property
    def entries(self) -> int:
        return sum(len(held.partition) for held in self._held.values())

    def __len__(self) -> int:
        return len(self._held)

    def namespaces(self) -> Iterable[str]:
        return {place.namespace for place in self._held}

    async def partition(self, place: Place) -> Partition:
        """With all that Redis has of it. Raises `Refused`."""
        held = self._held.get(place)
        if held is None:
            partition = Partition(self._dimension, self._bounds.sketch_entries)
            held = self._held[place] = Held(partition)
            held.loading = self._start(self._load(place, held))
            self._account(held)
        self._held.move_to_end(place)
        if held.loading is not None:
            await asyncio.shield(held.loading)
        return held.partition

    def put(self, place: Place, kept: Kept) -> None:
        """Where the place is in memory."""
        if held := self._held.get(place):
            held.gone.discard(kept.name)
            held.partition.put(kept.name, kept.vector, kept.expires_at_ms)
            self._account(held)

    def remove(self, place: Place, names: Iterable[str]) -> None:
        if held := self._held.get(place):
            for name in names:
                held.partition.remove(name)
                if held.loading is not None:
                    held.gone.add(name)

    def drop(self, place: Place) -> None:
        """All of the place is gone from Redis."""
        if held := self._held.get(place):
            held.partition.clear()
            held.stale = held.loading is not None

    def held_of(self, namespace: str, shelf: str) -> list[Place]:
        return [p for p in self._held if p.namespace == namespace and p.shelf == shelf]

    async def changed(self, namespace: str, change: Change) -> None:
        """Another embedder's change. Raises `Refused`."""
        members = change.members
        places = [
            place
            for place in self.held_of(namespace, change.shelf)
            if not members or place.member in members
        ]
        for place in places:
            if not change.names:
                self.drop(place)
                continue
            there = await self._vectors.some(place, change.names)
            self.remove(place, set(change.names) - {each.name for each in there})
            for each in there:
                self.put(place, each)

    def lost(self, namespace: str) -> None:
        """Lets go of what may be wrong; it is loaded anew when it is asked for."""
        for place in [p for p in self._held if p.namespace == namespace]:
            self._let_go(place)

    async def sweep(self) -> None:
        """Removes what has expired, here and in Redis."""
        for place, held in list(self._held.items()):
            if names := held.partition.sweep(self._now()):
                await self._vectors.sweep(place, names)

    async def keep_clean(self) -> None:
        """Sweeps until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            with suppress(Refused):  # logged where it happened, and the next sweep finds the rest
                await self.sweep()

    async def close(self) -> None:
        for place in list(self._held):
            self._let_go(place)
        for task in list(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError, Refused):
                await task

    async def _load(self, place: Place, held: Held) -> None:
        try:
            await self._news.follow(place.namespace)
            held.stale = True
            while held.stale:
                held.stale = False
                held.partition.clear()
                await self._fill(place, held)
        except BaseException:
            if self._held.get(place) is held:
                self._let_go(place)
            raise
        finally:
            held.loading = None
            held.gone.clear()
        logger.debug("partition.loaded", extra={"entries": len(held.partition)})
        if self._held.get(place) is held:
            self._account(held)

    async def _fill(self, place: Place, held: Held) -> None:
        expired: list[str] = []
        async for chunk in self._vectors.all(place):
            now = self._now()
            for each in chunk:
                if each.expires_at_ms <= now:
                    expired.append(each.name)
                elif each.name not in held.gone:
                    held.partition.put(each.name, each.vector, each.expires_at_ms)
        if expired or not len(held.partition):
            await self._vectors.sweep(place, expired)

    def _account(self, held: Held) -> None:
        """After a partition grew: what is over the bound goes, what is large gets its sketches."""
        if held.partition.wants_sketches and not held.sketching:
            held.sketching = True
            self._start(self._sketch(held))
        counted = max(LEAST_BYTES, held.partition.bytes)
        self.bytes += counted - held.bytes
        held.bytes = counted
        while self.bytes > self._bounds.max_bytes and len(self._held) > 1:
            loaded = (place for place, other in self._held.items() if other.loading is None)
            if (place := next(loaded, None)) is None:
                return
            self._let_go(place)
            logger.info("partition.let_go", extra={"namespace": place.namespace})

    async def _sketch(self, held: Held) -> None:
        try:
            await asyncio.to_thread(held.partition.sketch)
        finally:
            held.sketching = False

    def _let_go(self, place: Place) -> None:
        held = self._held.pop(place)
        self.bytes -= held.bytes
        held.bytes = 0

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Owned until it ends."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Those who wait are told as well; there may be none any more.
            logger.warning("partition.failed", exc_info=error)
