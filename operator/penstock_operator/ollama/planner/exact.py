"""Looks for a better placement by trying all, within a bound: for what greed does not get right.

Branch and bound over replicas by importance. States that are equal but for the names of nodes are
visited once. If the bound is not reached, nothing is better than what comes out.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from penstock_operator.ollama.planner.insertion import Insertion, Kept
from penstock_operator.ollama.planner.placement import Placement
from penstock_operator.ollama.planner.problem import Models, Part, Problem
from penstock_operator.ollama.planner.value import Turn, Value, Worth

MAX_REPLICAS: Final = 48
"""More than these are not tried."""
MAX_STEPS: Final = 4000
"""Tries for one plan: a fraction of a second."""

Pods = tuple[tuple[Part, int], ...]
"""Part and pool of each pod."""


@dataclass(slots=True)
class Outcome:
    """What the search came to."""

    best: Value
    found: Pods | None = None
    """A better placement than the one it began with."""
    steps: int = 0

    @property
    def is_proof(self) -> bool:
        """Whether nothing better exists."""
        return self.steps < MAX_STEPS


def better(problem: Problem, kept: Kept, worth: Worth, best: Value) -> Outcome:
    """Searches for a placement that is worth more than `best`."""
    outcome = Outcome(best)
    if len(worth.turns) > MAX_REPLICAS:
        outcome.steps = MAX_STEPS
    else:
        _Search(problem, kept, worth, outcome).run(0)
    return outcome


class _Search:
    def __init__(self, problem: Problem, kept: Kept, worth: Worth, outcome: Outcome) -> None:
        self._problem = problem
        self._worth = worth
        self._outcome = outcome
        self._placement = Placement(problem)
        self._insertion = Insertion(self._placement, kept)
        self._likeness = [_likeness(problem, pool) for pool in range(len(problem.pools))]
        self._visited: set[Hashable] = set()

    def run(self, turn: int) -> None:
        """Tries all that can be done from this turn on. Leaves the placement as it was."""
        if self._outcome.steps >= MAX_STEPS:
            return
        self._outcome.steps += 1
        hope = self._worth.hope(self._placement, turn)
        if hope <= self._outcome.best or not self._is_new(turn):
            return
        if turn == len(self._worth.turns):
            self._outcome.best = hope
            self._outcome.found = tuple(self._placement.all_pods())
            return
        for _ in self._choices(self._worth.turns[turn]):
            self.run(turn + 1)

    def _choices(self, turn: Turn) -> Iterator[None]:
        """Every way to place that replica: all of it, then some of it, then none."""
        cover = self._placement.cover[turn.wish]
        lacking = tuple(model for model, pods in cover.items() if pods == turn.replica - 1)
        asked = self._problem.asked[turn.wish]
        if lacking:
            for division in asked.divisions(lacking):
                yield from self._ways(division)
        if len(lacking) > 1:
            parts = [part for part in asked.lesser(lacking) if part.pools]
            for some in _disjoint(parts, lacking):
                yield from self._ways(some)
        yield

    def _ways(self, division: Sequence[Part]) -> Iterator[None]:
        if not division:
            yield
            return
        part, others = division[0], division[1:]
        for pool in self._candidates(part):
            mark = self._placement.mark()
            self._placement.put(part, pool)
            yield from self._ways(others)
            self._placement.back_to(mark)

    def _candidates(self, part: Part) -> list[int]:
        """Pools with room, one of those that are alike."""
        found: dict[Hashable, int] = {}
        ranked = ((self._insertion.rank(part, pool), pool) for pool in part.pools)
        for _, pool in sorted(ranked):
            if self._placement.has_room(part, pool):
                found.setdefault(self._state(pool), pool)
        return list(found.values())

    def _is_new(self, turn: int) -> bool:
        states = Counter(self._state(pool) for pool in range(len(self._problem.pools)))
        covers = tuple(tuple(cover.values()) for cover in self._placement.cover)
        key = (turn, frozenset(states.items()), covers)
        if key in self._visited:
            return False
        self._visited.add(key)
        return True

    def _state(self, pool: int) -> Hashable:
        """Equal for pools of which one is as good as the other, from here on."""
        free = self._placement.free[pool]
        if self._problem.pools[pool].sharing != "TimeSliced":
            return (self._likeness[pool], free)
        pods = self._placement.pods[pool]
        held = Counter(part.room for part in pods.elements())
        most = max((part.headroom_mib for part in pods), default=0)
        return (self._likeness[pool], free, most, frozenset(held.items()))


def _likeness(problem: Problem, pool: int) -> Hashable:
    """Equal for pools that are alike while they are empty."""
    what = problem.pools[pool]
    suits = frozenset(i for i, asked in enumerate(problem.asked) if pool in asked.suitable)
    return (what.sharing, what.clear_mib, what.slots_per_gpu, len(what.slots), suits)


def _disjoint(parts: Sequence[Part], lacking: Models) -> Iterator[tuple[Part, ...]]:
    """Sets of parts with no model in common that serve some, not all, of what is lacking."""

    def some(rest: Sequence[Part], left: frozenset[str]) -> Iterator[tuple[Part, ...]]:
        for index, part in enumerate(rest):
            if left.issuperset(part.models):
                yield (part,)
                for more in some(rest[index + 1 :], left.difference(part.models)):
                    yield (part, *more)

    for found in some(parts, frozenset(lacking)):
        if sum(len(part.models) for part in found) < len(lacking):
            yield found
