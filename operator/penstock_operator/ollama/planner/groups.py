"""Placement groups: what is written down of a placement, with a name each."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from penstock_operator.ollama.planner import memory
from penstock_operator.ollama.planner.placement import Placement
from penstock_operator.ollama.planner.pools import Pool
from penstock_operator.ollama.planner.predecessors import Place, place_of, predecessors
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

    @property
    def place(self) -> Place:
        resources = {self.pool.resource: self.part.slots}
        return Place(self.asked.wish.provider, self.pool.node.name, resources, self.part.models)


@dataclass(frozen=True, slots=True)
class OnCpu:
    """Replicas that run on CPU, because that is wished or because no GPU has room."""

    wish: Wish
    models: Models
    replicas: int

    @property
    def name(self) -> str:
        return group_name(self.wish.provider, None, "", self.models)

    @property
    def place(self) -> Place:
        return Place(self.wish.provider, None, {}, self.models)


def gpu_groups(placement: Placement, current: Sequence[Group]) -> list[Group]:
    """A group for each part in each pool. Those that were there keep their slots."""
    by_pool = [
        [_placed(placement, part, pool, count) for part, count in pods.items()]
        for pool, pods in zip(placement.problem.pools, placement.pods, strict=True)
    ]
    before = _before([one for placed in by_pool for one in placed], current)
    found: list[Group] = []
    for placed in by_pool:
        granted = _granted(placed, before)
        found += [_group(one, granted[one.name], before.get(one.name)) for one in placed]
    return found


def cpu_groups(planned: Sequence[OnCpu], current: Sequence[Group]) -> list[Group]:
    """A group for each."""
    before = _before(planned, current)
    return [_cpu_group(each, before.get(each.name)) for each in planned]


def _before(planned: Sequence[_Placed | OnCpu], current: Sequence[Group]) -> dict[str, Group]:
    """By planned name, what the group goes on from."""
    there = {group.name: group for group in current}
    places = {name: place_of(group) for name, group in there.items()}
    old = predecessors({each.name: each.place for each in planned}, places)
    return {name: there[former] for name, former in old.items()}


def _cpu_group(planned: OnCpu, before: Group | None) -> Group:
    wish = planned.wish
    needs = needs_of(wish, planned.models)
    ordered = memory.load_order(needs, 1)
    if wish.loading == "OnDemand":
        best, present = memory.most_asked_for(needs, 1)[:1], _present(needs, before)
        stays = len(present) == 1 and not _is_outdone(present, best)
        ordered = present if stays else best
    required = sum(need.total_mib() for need in ordered)
    return Group(
        name=planned.name,
        provider=wish.provider,
        node=None,
        models=planned.models,
        loaded=tuple(need.model for need in ordered),
        replicas=planned.replicas,
        resources={},
        slots=(),
        required_mib=max(required, *(need.total_mib() for need in needs)),
        why=why_without_gpu(wish, planned.replicas),
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
    present = _present(needs, before)
    stays = bool(present) and _fit(present, placed) and not _is_outdone(present, chosen)
    return memory.load_order(present if stays else chosen, gpus)


def _present(needs: Sequence[Need], before: Group | None) -> tuple[Need, ...]:
    return tuple(need for need in needs if before and need.model in before.loaded)


def _best_set(needs: Sequence[Need], placed: _Placed) -> tuple[Need, ...]:
    """The most asked for that fit together."""
    chosen: tuple[Need, ...] = ()
    for need in memory.most_asked_for(needs, placed.part.slots):
        if _fit((*chosen, need), placed):
            chosen = (*chosen, need)
    return chosen


def _is_outdone(present: Sequence[Need], best: Sequence[Need]) -> bool:
    """Whether what is loaded is to make room: to load others takes time, and demand comes and
    goes."""
    if {need.model for need in present} < {need.model for need in best}:
        return True
    demand = sum(need.demand for need in present)
    return sum(need.demand for need in best) > memory.LOADED_GAIN * demand


def _fit(needs: Sequence[Need], placed: _Placed) -> bool:
    room = memory.together(needs, placed.part.slots)
    if placed.pool.sharing == "TimeSliced":
        return len(needs) == 1
    return room.fits(placed.pool.clear_mib, placed.part.headroom_mib)
