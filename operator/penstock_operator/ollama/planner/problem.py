"""What is to be placed where, in a form made for searching: wishes, parts, pools.

A *part* is a set of models of one wish that one pod serves. A *division* is a set of parts that
have no model in common. A model's *cover* is how many pods serve it; a wish has replica number r
when each of its models has a cover of r.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from penstock_operator.ollama.planner import memory
from penstock_operator.ollama.planner.memory import Room
from penstock_operator.ollama.planner.pools import Pool, admits, is_of_kind, pools_of
from penstock_operator.ollama.planner.types import GpuWish, Need, Node, Wish

MAX_LISTED: Final = 4
"""Models of which every division is tried; of more, those that fill a GPU first-fit."""

Models = tuple[str, ...]
"""Sorted."""
Division = tuple["Part", ...]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Models that one pod serves. One object each, in a problem."""

    wish: int
    models: Models
    slots: int
    """That one pod takes."""
    room: Room
    headroom_mib: int
    pools: tuple[int, ...]
    """Where a pod fits if nothing else is there; smallest GPUs first."""


class Asked:
    """A wish for GPUs, and the ways to fulfil it. Answers are the same for the same question."""

    def __init__(self, index: int, wish: Wish, gpu: GpuWish, pools: Sequence[Pool]) -> None:
        self.wish = wish
        self.gpu = gpu
        self.needs = {need.model: need for need in wish.needs}
        self.models: Models = tuple(sorted(self.needs))
        self.suitable = tuple(
            i for i, pool in enumerate(pools) if admits(pool.node, wish) and is_of_kind(pool, wish)
        )
        """Pools of the kind it asks for, whatever their room."""
        self._index = index
        self._pools = pools
        self._parts: dict[Models, Part] = {}
        self._divisions: dict[Models, tuple[Division, ...]] = {}
        places = [set(self.part((model,)).pools) for model in self.models]
        is_shared = self.gpu.sharing == "TimeSliced"
        everywhere = all(set(self.part(self.models).pools) == place for place in places)
        self.is_undivided = everywhere and (not is_shared or len(self.models) == 1)
        """Whether nothing is won by dividing it: all its models fit wherever any of them does."""
        self.is_unit = self.is_undivided and self.gpu.count == 1 and not is_shared
        """Whether a replica is one slot that it shares with nobody."""

    def pool(self, index: int) -> Pool:
        return self._pools[index]

    def all_pools(self) -> Sequence[Pool]:
        """Also those that will not do."""
        return self._pools

    def part(self, models: Models) -> Part:
        """The only one for these models."""
        if models not in self._parts:
            self._parts[models] = self._part(models)
        return self._parts[models]

    def divisions(self, models: Models) -> tuple[Division, ...]:
        """Ways to serve all of these models, those of fewest parts first."""
        if models not in self._divisions:
            found = {d for d in self._proposed(models) if all(self.part(m).pools for m in d)}
            ordered = sorted(found, key=lambda division: (len(division), division))
            self._divisions[models] = tuple(tuple(map(self.part, d)) for d in ordered)
        return self._divisions[models]

    def lesser(self, models: Models) -> Iterator[Part]:
        """Parts that serve some of these models, those that serve most first."""
        if self.wish.loading == "OnDemand" or self.is_undivided:
            smallest_first = memory.load_order(map(self.needs.__getitem__, models), self.gpu.count)
            for dropped in range(len(models)):
                kept = tuple(sorted(need.model for need in smallest_first[dropped:]))
                yield self.part(kept)
            return
        seen = {part for division in self.divisions(self._possible(models)) for part in division}
        seen |= {self.part((model,)) for model in models}
        yield from sorted(seen, key=lambda part: (-len(part.models), part.models))

    def _possible(self, models: Models) -> Models:
        return tuple(model for model in models if self.part((model,)).pools)

    def _part(self, models: Models) -> Part:
        room = room_of(self.wish, models)
        headroom = self.gpu.headroom_mib
        fitting = [i for i in self.suitable if room.fits(self._pools[i].clear_mib, headroom)]
        fitting.sort(key=lambda i: (self._pools[i].memory_mib, i))
        return Part(self._index, models, self.gpu.count, room, headroom, tuple(fitting))

    def _proposed(self, models: Models) -> Iterator[tuple[Models, ...]]:
        if not models:
            return
        yield (models,)
        if self.wish.loading == "OnDemand" or self.is_undivided:
            return
        if len(models) <= MAX_LISTED:
            yield from _all_divisions(models)
            return
        for clear_mib in {self._pools[i].clear_mib for i in self.suitable}:
            yield self._first_fit(models, clear_mib)

    def _first_fit(self, models: Models, clear_mib: int) -> tuple[Models, ...]:
        """Fills GPUs one after the other, with the largest that still goes in."""
        bins: list[Models] = []
        for need in memory.load_order(map(self.needs.__getitem__, models), self.gpu.count):
            for index, present in enumerate(bins):
                more = tuple(sorted((*present, need.model)))
                if room_of(self.wish, more).fits(clear_mib, self.gpu.headroom_mib):
                    bins[index] = more
                    break
            else:
                bins.append((need.model,))
        return tuple(sorted(bins))


@dataclass(frozen=True, slots=True)
class Problem:
    """Wishes and pools, with indices for names."""

    asked: tuple[Asked, ...]
    """By provider."""
    pools: tuple[Pool, ...]

    @property
    def is_matroid(self) -> bool:
        """Whether placing by importance is exact; see `insertion`."""
        return all(asked.is_unit for asked in self.asked)


def problem_of(nodes: Sequence[Node], wishes: Sequence[Wish]) -> Problem:
    """The wishes for GPUs, and what there is of them."""
    pools = pools_of(nodes)
    asked: list[Asked] = []
    for wish in sorted(wishes, key=lambda wish: wish.provider):
        if wish.gpu is not None and wish.replicas > 0 and wish.needs:
            asked.append(Asked(len(asked), wish, wish.gpu, pools))
    return Problem(tuple(asked), pools)


def room_of(wish: Wish, models: Models) -> Room:
    """What a pod that serves these models takes of each of its GPUs."""
    needs = needs_of(wish, models)
    gpus = wish.gpu.count if wish.gpu else 1
    if wish.loading == "OnDemand":
        return memory.by_turns(needs, gpus)
    return memory.together(needs, gpus)


def needs_of(wish: Wish, models: Models) -> list[Need]:
    return [need for need in wish.needs if need.model in models]


def _all_divisions(models: Models) -> Iterator[tuple[Models, ...]]:
    if not models:
        yield ()
        return
    first, rest = models[0], models[1:]
    for division in _all_divisions(rest):
        yield tuple(sorted(((first,), *division)))
        for index, present in enumerate(division):
            others = division[:index] + division[index + 1 :]
            yield tuple(sorted(((first, *present), *others)))
