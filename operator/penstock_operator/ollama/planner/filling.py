"""Fills pools by importance: every wish's first replica, then the second ones, and so on.

Of equal number the higher priority comes first. What runs is only displaced by what is more
important, so a newcomer takes nothing from its equals.
"""

from collections import Counter
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import Final

from penstock_operator.ollama.planner.insertion import Insertion, Kept
from penstock_operator.ollama.planner.placement import Level, Placement
from penstock_operator.ollama.planner.problem import Part, Problem
from penstock_operator.ollama.planner.types import Group

WHOLE: Final = 0
SOME: Final = 1

Turn = tuple[Level, int, tuple[int, int], int]
"""Level; whether all models or some; size, smaller first; wish."""


def kept_pods(problem: Problem, current: Sequence[Group]) -> Kept:
    """The pods of current groups that may stay where they are, as far as each alone can say; of
    groups without a replica, that they were there."""
    pools = {(pool.node.name, pool.resource): i for i, pool in enumerate(problem.pools)}
    wishes = {asked.wish.provider: asked for asked in problem.asked}
    kept: Counter[tuple[Part, int]] = Counter()
    for group in current:
        asked = wishes.get(group.provider)
        places = [pools.get((group.node or "", resource)) for resource in group.resources]
        if asked is None or len(places) != 1 or places[0] is None:
            continue
        if all(model in asked.needs for model in group.models):
            part = asked.part(tuple(sorted(group.models)))
            if places[0] in part.pools:
                kept[part, places[0]] += group.replicas
    return kept


def placement_of(problem: Problem, kept: Kept) -> Placement:
    """What stays: those of a lower number first, of a higher priority, as far as there is room."""
    placement = Placement(problem)
    pods = [
        (number, -problem.asked[part.wish].wish.priority, part.wish, pool, part.models, part)
        for (part, pool), count in kept.items()
        for number in range(min(count, problem.asked[part.wish].wish.replicas))
    ]
    for *_, pool, _, part in sorted(pods, key=lambda pod: pod[:5]):
        if placement.has_room(part, pool):
            placement.put(part, pool)
    for wish in range(len(problem.asked)):
        drop_surplus(placement, wish)
    return placement


def drop_surplus(placement: Placement, wish: int) -> None:
    """Takes away pods that serve nothing that is wished: those on the largest GPUs first."""
    replicas = placement.problem.asked[wish].wish.replicas
    while dropped := _surplus(placement, wish, replicas):
        placement.take(*dropped)


def _surplus(placement: Placement, wish: int, replicas: int) -> tuple[Part, int] | None:
    pools, cover = placement.problem.pools, placement.cover[wish]
    spare = [
        ((pools[pool].memory_mib, placement.zones[part, pools[pool].node.zone], count, pool), part)
        for pool, pods in enumerate(placement.pods)
        for part, count in pods.items()
        if part.wish == wish and all(cover[model] > replicas for model in part.models)
    ]
    if not spare:
        return None
    (*_, pool), part = max(spare, key=lambda found: (found[0], found[1].models))
    return part, pool


def fill(placement: Placement, kept: Kept) -> None:
    """Places all it can."""
    insertion = Insertion(placement, kept)
    turns = [turn for wish in range(len(placement.cover)) if (turn := _next(placement, wish))]
    heapify(turns)
    while turns:
        (replica, _), kind, _, wish = turn = heappop(turns)
        if placement.whole(wish) >= replica:
            continue
        mark = placement.mark()
        add = insertion.add if kind == WHOLE else insertion.add_some
        if add(wish, replica, turn[0]):
            for other in displaced(placement, mark):
                heappush(turns, _turn(placement, other, placement.whole(other) + 1, WHOLE))
            _follow(turns, placement, wish, replica)
        elif kind == WHOLE and len(placement.problem.asked[wish].models) > 1:
            heappush(turns, _turn(placement, wish, replica, SOME))


def _next(placement: Placement, wish: int) -> Turn | None:
    replica = placement.whole(wish) + 1
    if replica > placement.problem.asked[wish].wish.replicas:
        return None
    return _turn(placement, wish, replica, WHOLE)


def _follow(turns: list[Turn], placement: Placement, wish: int, replica: int) -> None:
    if replica < placement.problem.asked[wish].wish.replicas:
        heappush(turns, _turn(placement, wish, replica + 1, WHOLE))


def _turn(placement: Placement, wish: int, replica: int, kind: int) -> Turn:
    asked = placement.problem.asked[wish]
    part = asked.part(asked.models)
    size = (part.slots, part.room.held_mib)
    return ((replica, -asked.wish.priority), kind, size, wish)


def displaced(placement: Placement, mark: int) -> list[int]:
    """Wishes that lost pods since."""
    net: Counter[Part] = Counter()
    for part, by in placement.changes(mark):
        net[part] += by
    return sorted({part.wish for part, by in net.items() if by < 0})
