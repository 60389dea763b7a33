"""Decides who is placed where: greed first, and a search where greed may not be right."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from penstock_operator.ollama.planner.exact import Pods, better
from penstock_operator.ollama.planner.filling import fill, kept_pods, placement_of
from penstock_operator.ollama.planner.insertion import Kept
from penstock_operator.ollama.planner.placement import Placement
from penstock_operator.ollama.planner.problem import Part, Problem
from penstock_operator.ollama.planner.types import Group
from penstock_operator.ollama.planner.value import Worth

MAX_ROUNDS: Final = 4


def decide(problem: Problem, current: Sequence[Group]) -> Placement:
    """The best placement that is found, with as little moved as may be.

    Where the search gave up, what came out is put in again until nothing changes: so that the
    same question, asked with the answer in hand, has the same answer.
    """
    kept = kept_pods(problem, current)
    for _ in range(MAX_ROUNDS):
        placement, is_sure = _decided(problem, kept)
        pods = Counter(placement.all_pods())
        if is_sure or pods == kept:
            break
        kept = pods
    return placement


def _decided(problem: Problem, kept: Kept) -> tuple[Placement, bool]:
    """A placement, and whether none is better."""
    placement = placement_of(problem, kept)
    worth = Worth(problem, [placement.whole(wish) for wish in range(len(problem.asked))])
    fill(placement, kept)
    if is_complete(placement):
        return placement, True
    if (joined := _joined(placement, kept)) != kept:
        other = placement_of(problem, joined)
        fill(other, joined)
        if worth.of(other) > worth.of(placement):
            placement = other
    elif problem.is_matroid:
        return placement, True
    outcome = better(problem, kept, worth, worth.of(placement))
    if outcome.found is not None:
        placement = _restored(problem, outcome.found, kept)
    return placement, outcome.is_proof


def _joined(placement: Placement, kept: Kept) -> Kept:
    """With all models where only some of a wish are, for wishes that lack something.

    So a model that comes to a provider finds room beside the others, where no GPU is free.
    """
    found: Counter[tuple[Part, int]] = Counter()
    for (part, pool), pods in kept.items():
        asked = placement.problem.asked[part.wish]
        whole = asked.part(asked.models)
        lacks = placement.whole(part.wish) < asked.wish.replicas
        found[whole if lacks and pool in whole.pools else part, pool] += pods
    return found


def is_complete(placement: Placement) -> bool:
    """Whether all is placed that can be placed anywhere."""
    return all(
        pods >= asked.wish.replicas or not asked.part((model,)).pools
        for asked, cover in zip(placement.problem.asked, placement.cover, strict=True)
        for model, pods in cover.items()
    )


def _restored(problem: Problem, pods: Pods, kept: Kept) -> Placement:
    """With those back where they were whose place is free after all."""
    placement = Placement(problem)
    for part, pool in pods:
        placement.put(part, pool)
    for part, pool in sorted(kept, key=lambda one: (one[0].wish, one[0].models, one[1])):
        while placement.pods[pool][part] < kept[part, pool] and _comes_back(
            placement, part, pool, kept
        ):
            pass
    return placement


def _comes_back(placement: Placement, part: Part, pool: int, kept: Kept) -> bool:
    for other in part.pools:
        if placement.pods[other][part] > kept.get((part, other), 0):
            mark = placement.mark()
            placement.take(part, other)
            if placement.has_room(part, pool):
                placement.put(part, pool)
                return True
            placement.back_to(mark)
    return False
