"""What a placement is worth, and at most can come to be worth.

By level: replicas that were there before, other replicas, models of replicas that are not whole.
A level counts for more than all later ones together.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from penstock_operator.ollama.planner.placement import Level, Placement
from penstock_operator.ollama.planner.problem import Problem
from penstock_operator.ollama.planner.types import Sharing

Value = tuple[int, ...]
"""More is better, and what comes first counts most."""


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """A replica of a wish."""

    level: Level
    wish: int

    @property
    def replica(self) -> int:
        return self.level[0]


class Worth:
    """Values placements of one problem."""

    def __init__(self, problem: Problem, secured: Sequence[int]) -> None:
        """`secured`: of each wish, the replicas that were there before."""
        self._problem = problem
        self._secured = secured

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """All replicas, the most important first."""
        return tuple(
            sorted(
                Turn((replica, -asked.wish.priority), wish)
                for wish, asked in enumerate(self._problem.asked)
                for replica in range(1, asked.wish.replicas + 1)
            )
        )

    @cached_property
    def _levels(self) -> tuple[tuple[int, ...], ...]:
        """Of each level, its turns."""
        found: dict[Level, list[int]] = {}
        for index, turn in enumerate(self.turns):
            found.setdefault(turn.level, []).append(index)
        return tuple(map(tuple, found.values()))

    def of(self, placement: Placement) -> Value:
        """What it is worth."""
        return self.hope(placement, len(self.turns))

    def hope(self, placement: Placement, decided: int) -> Value:
        """What it may come to be worth, at most, when turns before `decided` are settled.

        Others need at least their slots, of all that are free for their kind of sharing.
        """
        free: Counter[Sharing] = Counter()
        for pool, slots in zip(self._problem.pools, placement.free, strict=True):
            free[pool.sharing] += slots
        value: list[int] = []
        for level in self._levels:
            value += self._at(level, placement, decided, free)
        return tuple(value)

    def _at(
        self, level: Sequence[int], placement: Placement, decided: int, free: Counter[Sharing]
    ) -> tuple[int, int, int]:
        whole, models = [0, 0], 0
        may_be: list[tuple[bool, int, Sharing]] = []
        for index in level:
            turn = self.turns[index]
            asked, cover = self._problem.asked[turn.wish], placement.cover[turn.wish]
            is_new = turn.replica > self._secured[turn.wish]
            settled = turn.replica if index < decided else self._settled(turn.wish, decided)
            served = sum(pods >= settled for pods in cover.values())
            if served < len(cover):
                models += served
            elif index < decided:
                whole[is_new] += 1
            else:
                models += served if served > 1 else 0
                may_be.append((is_new, asked.gpu.count, asked.gpu.sharing))
        for is_new, slots, sharing in sorted(may_be):
            if free[sharing] >= slots:
                free[sharing] -= slots
                whole[is_new] += 1
        return whole[0], whole[1], models

    def _settled(self, wish: int, decided: int) -> int:
        """How many replicas of a wish are before that turn."""
        return bisect_left(self._of_wish[wish], decided)

    @cached_property
    def _of_wish(self) -> tuple[list[int], ...]:
        """Of each wish, its turns."""
        found: tuple[list[int], ...] = tuple([] for _ in self._problem.asked)
        for index, turn in enumerate(self.turns):
            found[turn.wish].append(index)
        return found
