"""Placement groups: what is written down of a placement, with a name each."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from penstock_operator.ollama.planner import memory
from penstock_operator.ollama.planner.placement import Placement
from penstock_operator.ollama.planner.pools import Pool
from penstock_operator.ollama.planner.problem import Asked, Models, Part, needs_of
from penstock_operator.ollama.planner.reasons import why_there, why_without_gpu
from penstock_operator.ollama.planner.types import Group, Need, Slot, Wish

MAX_NAME: Final = 52
"""A Deployment's pods have names of 63 characters at most, and 11 are Kubernetes' own."""
HASH_DIGITS: Final = 8


def group_name(provider: str, node: str | None, resource: str, models: Models) -> str:
    """A DNS label, the same for the same arguments."""
    text = "\n".join((provider, node or "", resource, *models))
    digest = hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]
    plain = provider.rsplit("/", maxsplit=1)[-1].replace(".", "-")
    return f"{plain[: MAX_NAME - HASH_DIGITS - 1].rstrip('-')}-{digest}"


@dataclass(frozen=True, slots=True)
class _Placed:
    """Pods of one part in one pool."""

    name: str
    asked: Asked
    part: Part
    pool: Pool
    pods: int


def gpu_groups(placement: Placement, current: Sequence[Group]) -> list[Group]:
    """A group for each part in each pool. Those that were there keep their slots."""
    before = {group.name: group for group in current}
    found: list[Group] = []
    for pool, pods in zip(placement.problem.pools, placement.pods, strict=True):
        placed = [_placed(placement, part, pool, count) for part, count in pods.items()]
        granted = _granted(placed, before)
        found += [_group(one, granted[one.name], before.get(one.name)) for one in placed]
    return found


def cpu_group(wish: Wish, models: Models, replicas: int) -> Group:
    """Replicas that run on CPU, because that is wished or because no GPU has room."""
    needs = needs_of(wish, models)
    ordered = memory.load_order(needs, 1)
    if wish.loading == "OnDemand":
        ordered = memory.most_asked_for(needs, 1)[:1]
    return Group(
        name=group_name(wish.provider, None, "", models),
        provider=wish.provider,
        node=None,
        models=models,
        loaded=tuple(need.model for need in ordered),
        replicas=replicas,
        resources={},
        slots=(),
        required_mib=sum(need.total_mib() for need in ordered),
        why=why_without_gpu(wish, replicas),
    )


def _placed(placement: Placement, part: Part, pool: Pool, pods: int) -> _Placed:
    asked = placement.problem.asked[part.wish]
    name = group_name(asked.wish.provider, pool.node.name, pool.resource, part.models)
    return _Placed(name, asked, part, pool, pods)


def _granted(placed: Sequence[_Placed], before: Mapping[str, Group]) -> dict[str, tuple[Slot, ...]]:
    """Slots of each group: as many as possible of those that it had."""
    granted: dict[str, list[Slot]] = {one.name: [] for one in placed}
    free = sorted(placed[0].pool.slots) if placed else []
    for one in placed:
        for slot in before[one.name].slots if one.name in before else ():
            if slot in free and len(granted[one.name]) < one.pods * one.part.slots:
                free.remove(slot)
                granted[one.name].append(slot)
    for one in sorted(placed, key=lambda one: one.name):
        missing = one.pods * one.part.slots - len(granted[one.name])
        granted[one.name] += free[:missing]
        del free[:missing]
    return {name: tuple(sorted(slots)) for name, slots in granted.items()}


def _group(placed: _Placed, slots: tuple[Slot, ...], before: Group | None) -> Group:
    part, wish, gpus = placed.part, placed.asked.wish, placed.part.slots
    needs = needs_of(wish, part.models)
    loaded = _loaded(placed, before)
    required = sum(need.total_mib(gpus) for need in loaded)
    return Group(
        name=placed.name,
        provider=wish.provider,
        node=placed.pool.node.name,
        models=part.models,
        loaded=tuple(need.model for need in loaded),
        replicas=placed.pods,
        resources={placed.pool.resource: gpus},
        slots=slots,
        required_mib=max(required, *(need.total_mib(gpus) for need in needs)),
        why=why_there(placed.asked, part, placed.pool),
    )


def _loaded(placed: _Placed, before: Group | None) -> tuple[Need, ...]:
    """What is loaded from the beginning, in the order in which it is to be."""
    needs, gpus = needs_of(placed.asked.wish, placed.part.models), placed.part.slots
    if placed.asked.wish.loading == "Always":
        return memory.load_order(needs, gpus)
    if placed.pool.sharing == "TimeSliced":
        chosen = memory.most_asked_for(needs, gpus)[:1]
    else:
        chosen = _best_set(needs, placed)
    present = [need for need in needs if before and need.model in before.loaded]
    return memory.load_order(present if _is_good_enough(present, chosen, placed) else chosen, gpus)


def _best_set(needs: Sequence[Need], placed: _Placed) -> tuple[Need, ...]:
    """The most asked for that fit together."""
    chosen: tuple[Need, ...] = ()
    for need in memory.most_asked_for(needs, placed.part.slots):
        if _fit((*chosen, need), placed):
            chosen = (*chosen, need)
    return chosen


def _is_good_enough(present: Sequence[Need], best: Sequence[Need], placed: _Placed) -> bool:
    """Whether what is loaded may stay: to load others takes time, and demand comes and goes."""
    if not present or not _fit(present, placed):
        return False
    if {need.model for need in present} < {need.model for need in best}:
        return False
    demand = sum(need.demand for need in present)
    return sum(need.demand for need in best) <= memory.LOADED_GAIN * demand


def _fit(needs: Sequence[Need], placed: _Placed) -> bool:
    room = memory.together(needs, placed.part.slots)
    if placed.pool.sharing == "TimeSliced":
        return len(needs) == 1
    return room.fits(placed.pool.clear_mib, placed.part.headroom_mib)
