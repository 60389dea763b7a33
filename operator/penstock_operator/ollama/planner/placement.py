"""Who is where, while it is being decided: pods in pools, with a way back.

The one mutable thing of the planner. Pods of one part are alike, so they are counted.
"""

from collections import Counter
from collections.abc import Iterator

from penstock_operator.ollama.planner.pools import Pool
from penstock_operator.ollama.planner.problem import Models, Part, Problem

Level = tuple[int, int]
"""Number of a replica within its wish, then the priority, negated: less is more important."""


class Placement:
    """Pods of parts in pools."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.pods: list[Counter[Part]] = [Counter() for _ in problem.pools]
        """Of each pool. Without zeros."""
        self.free = [len(pool.slots) for pool in problem.pools]
        self.cover: list[dict[str, int]] = [dict.fromkeys(a.models, 0) for a in problem.asked]
        """Of each wish: model -> pods that serve it."""
        self.zones: Counter[tuple[Part, str]] = Counter()
        self._log: list[tuple[Part, int, int]] = []

    def put(self, part: Part, pool: int) -> None:
        self._change(part, pool, 1)
        self._log.append((part, pool, 1))

    def take(self, part: Part, pool: int) -> None:
        self._change(part, pool, -1)
        self._log.append((part, pool, -1))

    def mark(self) -> int:
        return len(self._log)

    def back_to(self, mark: int) -> None:
        """Undoes all since."""
        while len(self._log) > mark:
            part, pool, by = self._log.pop()
            self._change(part, pool, -by)

    def changes(self, mark: int) -> list[tuple[Part, int]]:
        """Pods that came and went since."""
        return [(part, by) for part, _, by in self._log[mark:]]

    def all_pods(self) -> Iterator[tuple[Part, int]]:
        """Part and pool of each."""
        for pool, pods in enumerate(self.pods):
            for part in pods.elements():
                yield part, pool

    def whole(self, wish: int) -> int:
        """How many replicas of it are placed with all their models."""
        return min(self.cover[wish].values())

    def lacking(self, wish: int, replica: int) -> Models:
        """Models that replica is without."""
        return tuple(model for model, pods in self.cover[wish].items() if pods < replica)

    def level_of(self, part: Part) -> Level:
        """What is lost with a pod of it, at worst."""
        cover = self.cover[part.wish]
        lost = min(cover[model] for model in part.models)
        return (lost, -self.problem.asked[part.wish].wish.priority)

    def has_room(self, part: Part, pool: int) -> bool:
        """Of a pool in which the part fits by itself."""
        if self.free[pool] < part.slots:
            return False
        if self.problem.pools[pool].sharing != "TimeSliced" or not self.pods[pool]:
            return True
        return can_share(self.problem.pools[pool], [*self.pods[pool].elements(), part])

    def _change(self, part: Part, pool: int, by: int) -> None:
        pods = self.pods[pool]
        pods[part] += by
        if not pods[part]:
            del pods[part]
        self.free[pool] -= by * part.slots
        self.zones[part, self.problem.pools[pool].node.zone] += by
        cover = self.cover[part.wish]
        for model in part.models:
            cover[model] += by


def can_share(pool: Pool, sharers: list[Part]) -> bool:
    """Whether time-sliced pods fit, whichever GPU of the node each of them gets.

    Worst is that the largest, as many as one GPU has slots, meet on the GPU with least memory;
    and that each is loaded when all others there are.
    """
    if len(sharers) > len(pool.slots):
        return False
    sharers = sorted(sharers, key=lambda part: -part.room.held_mib)
    worst = sharers[: pool.slots_per_gpu]
    held = sum(part.room.held_mib for part in worst)
    if held + max(part.headroom_mib for part in sharers) > pool.clear_mib:
        return False
    most_others = held - (worst[-1].room.held_mib if len(worst) == pool.slots_per_gpu else 0)
    return all(
        part.room.clear_mib + (held - part.room.held_mib if rank < len(worst) else most_others)
        <= pool.clear_mib
        for rank, part in enumerate(sharers)
    )
