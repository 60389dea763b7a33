"""Finds a place for more: where there is room, by moving others, by displacing who counts less.

For pods of one slot that is the search for an augmenting path. What can be placed together is
then a transversal matroid, in which taking replicas by importance, displacing the least important
one that a path leads to, is exact (Edmonds and Fulkerson, 1965); nothing placed is moved without
need. Pods of several slots and of shared GPUs move only to where there is room.
"""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from penstock_operator.ollama.planner.placement import Level, Placement
from penstock_operator.ollama.planner.problem import Division, Part

NOBODY: Final[Level] = (1 << 30, 0)
"""Less important than anyone: who is of this level displaces nobody."""
MAX_CLEARED: Final = 16
"""Pools of which one is cleared for a pod of several slots."""


@dataclass(frozen=True, slots=True)
class Licence:
    """What may be done to others."""

    displaces: Level = NOBODY
    """Those that are less important than this."""
    moves_kept: bool = True
    """Also those that ran before."""


Kept = Mapping[tuple[Part, int], int]
"""(part, pool) -> pods that are there now; 0: there were, and what they pulled is still there."""


@dataclass(frozen=True, slots=True)
class Insertion:
    """Puts pods into a placement."""

    placement: Placement
    kept: Kept

    def add(self, wish: int, replica: int, level: Level) -> bool:
        """Completes that replica; tells whether it could."""
        asked = self.placement.problem.asked[wish]
        divisions = asked.divisions(self.placement.lacking(wish, replica))
        return any(
            self._add_all(division, licence)
            for licence in self._licences(level)
            for division in divisions
        )

    def add_some(self, wish: int, replica: int, level: Level) -> bool:
        """Serves as many models of that replica as it can; tells whether any."""
        asked, added = self.placement.problem.asked[wish], False
        for part in asked.lesser(self.placement.lacking(wish, replica)):
            lacking = self.placement.lacking(wish, replica)
            if all(model in lacking for model in part.models):
                added |= any(self._add_all((part,), licence) for licence in self._licences(level))
        return added

    def _licences(self, level: Level) -> list[Licence | None]:
        moving = [Licence(moves_kept=False), Licence()] if self.kept else [Licence()]
        return [None, *moving, Licence(displaces=level)]

    def _add_all(self, division: Division, licence: Licence | None) -> bool:
        mark = self.placement.mark()
        for part in sorted(division, key=lambda part: (-part.room.held_mib, part.models)):
            if not (self._add_directly(part) or (licence and self._add_by_moving(part, licence))):
                self.placement.back_to(mark)
                return False
        return True

    def _add_directly(self, part: Part) -> bool:
        pool = self.best_pool(part)
        if pool is not None:
            self.placement.put(part, pool)
        return pool is not None

    def best_pool(self, part: Part) -> int | None:
        """Of the pools with room, the one of the best rank."""
        best: tuple[int, ...] | None = None
        for pool in part.pools:
            is_larger = best and self.placement.problem.pools[pool].memory_mib > best[2]
            if is_larger and (part, pool) not in self.kept:
                continue
            rank = self.rank(part, pool)
            if (best is None or rank < best) and self.placement.has_room(part, pool):
                best = rank
        return None if best is None else best[-1]

    def rank(self, part: Part, pool: int) -> tuple[int, ...]:
        """Where it is now, or else where it sleeps; else on the smallest GPUs, spread over zones
        and nodes, well filled."""
        placement, what = self.placement, self.placement.problem.pools[pool]
        pods = placement.pods[pool][part]
        kept = self.kept.get((part, pool))
        moves = pods >= (kept or 0)
        pulls = not (kept == 0 and pods == 0)
        zone = placement.zones[part, what.node.zone]
        near = (what.memory_mib, zone, pods, placement.free[pool], what.clear_mib, pool)
        return (moves, pulls, *near)

    def _add_by_moving(self, part: Part, licence: Licence) -> bool:
        if not part.pools:
            return False
        if part.slots == 1 and self._is_exclusive(part.pools[0]):
            return self._free_one(part.pools, licence) and self._add_directly(part)
        return self._add_by_clearing(part, licence)

    def _add_by_clearing(self, part: Part, licence: Licence) -> bool:
        """Makes room in the pool where least has to go for it."""
        placement, best = self.placement, None
        mark = placement.mark()
        nearest = sorted(part.pools, key=lambda pool: (-placement.free[pool], pool))
        for pool in nearest[:MAX_CLEARED]:
            if self._clear(pool, part, licence):
                key = (self._lost(mark), placement.mark() - mark, pool)
                best = key if best is None else min(best, key)
            placement.back_to(mark)
        if best is None:
            return False
        self._clear(best[-1], part, licence)
        placement.put(part, best[-1])
        return True

    def _clear(self, pool: int, part: Part, licence: Licence) -> bool:
        while not self.placement.has_room(part, pool):
            if not self._free_one((pool,), licence):
                return False
        return True

    def _free_one(self, pools: Sequence[int], licence: Licence) -> bool:
        """Takes one pod out of one of the pools: a path of moves, or the least important on one."""
        path = _Path(self, licence, pools)
        while path.queue:
            if path.leads_to_room(path.queue.popleft()):
                return True
        return path.displaces()

    def _is_exclusive(self, pool: int) -> bool:
        return self.placement.problem.pools[pool].sharing != "TimeSliced"

    def _lost(self, mark: int) -> tuple[Level, ...]:
        """What was displaced since; the less, the earlier it sorts."""
        covers: Counter[tuple[int, str]] = Counter()
        for part, by in self.placement.changes(mark):
            covers.update({(part.wish, model): by for model in part.models})
        lost = [
            (self.placement.cover[wish][model] - gone, -self._priority(wish))
            for (wish, model), by in covers.items()
            for gone in range(by, 0)
        ]
        return tuple((-replica, -priority) for replica, priority in sorted(lost))

    def _priority(self, wish: int) -> int:
        return self.placement.problem.asked[wish].wish.priority


class _Path:
    """Breadth first over pools: which pod may go where, so that a slot of the first gets free."""

    def __init__(self, insertion: Insertion, licence: Licence, pools: Sequence[int]) -> None:
        self.queue = deque(pools)
        self._placement = insertion.placement
        self._kept = insertion.kept
        self._licence = licence
        self._from: dict[int, tuple[int, Part] | None] = dict.fromkeys(pools)
        self._seen: set[Part] = set()
        self._victim: tuple[Level, int, Part] | None = None

    def leads_to_room(self, pool: int) -> bool:
        """Looks at a pool's pods; makes the moves if one of them finds room elsewhere."""
        new = [part for part in self._placement.pods[pool] if part not in self._seen]
        for part in sorted(new, key=lambda part: (part.wish, part.models)):
            self._note(part, pool)
            if not self._may_move(part, pool):
                continue
            if self._moves(part, pool):
                return True
            self._seen.add(part)
        return False

    def _may_move(self, part: Part, pool: int) -> bool:
        if self._licence.moves_kept:
            return True
        return self._placement.pods[pool][part] > self._kept.get((part, pool), 0)

    def displaces(self) -> bool:
        """Makes the moves that end with the least important pod met, if it counts less."""
        if self._victim is None:
            return False
        _, pool, part = self._victim
        self._placement.take(part, pool)
        self._shift_into(pool)
        return True

    def _note(self, part: Part, pool: int) -> None:
        level = self._placement.level_of(part)
        if level > self._licence.displaces and (self._victim is None or level > self._victim[0]):
            self._victim = (level, pool, part)

    def _moves(self, part: Part, pool: int) -> bool:
        for target in part.pools:
            if target in self._from:
                continue
            if self._placement.has_room(part, target):
                self._placement.take(part, pool)
                self._placement.put(part, target)
                self._shift_into(pool)
                return True
            if part.slots == 1 and self._placement.problem.pools[target].sharing != "TimeSliced":
                self._from[target] = (pool, part)
                self.queue.append(target)
        return False

    def _shift_into(self, pool: int) -> None:
        while (step := self._from[pool]) is not None:
            before, part = step
            self._placement.take(part, before)
            self._placement.put(part, pool)
            pool = before
