"""Replicas that found no place: a Deployment whose pods stay Pending, and say what they lack.

No node that is there may take them, since the planner found none of them fit; a node that comes
with enough GPU memory may. So a cluster autoscaler sees what is missing, and can add it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from penstock_operator.ollama.planner.memory import by_turns, together
from penstock_operator.ollama.planner.types import GpuWish, Group, Node, Unplaced, Wish

PENDING_SUFFIX: Final = "-pending"
MEMORY_LABEL: Final = "nvidia.com/gpu.memory"
"""MiB, by GPU Feature Discovery."""
HOST_LABEL: Final = "kubernetes.io/hostname"
MAX_NAME: Final = 40
"""Of a provider in a group's name: a DNS label has 63 characters."""
MAX_HOSTS: Final = 500
WHOLE: Final = "nvidia.com/gpu"
SHARED: Final = "nvidia.com/gpu.shared"


@dataclass(frozen=True, slots=True)
class Pending:
    """A placement group without a place."""

    group: Group
    floor_mib: int
    """Least memory of a GPU that would do."""
    hosts: tuple[str, ...]
    """Nodes that have been tried."""


def is_pending(group: str) -> bool:
    """Whether a group of that name has no place."""
    return group.endswith(PENDING_SUFFIX)


def pending_groups(
    unplaced: Iterable[Unplaced], wishes: Iterable[Wish], nodes: Sequence[Node]
) -> tuple[Pending, ...]:
    """One for each provider and set of models, sorted."""
    by_provider = {wish.provider: wish for wish in wishes}
    found: dict[str, Pending] = {}
    for each in unplaced:
        wish = by_provider.get(each.provider)
        if wish is None or wish.gpu is None or each.replicas < 1:
            continue  # on CPU the scheduler says itself what is missing
        pending = _pending(each, wish, wish.gpu, nodes)
        found[pending.group.name] = pending
    return tuple(found[name] for name in sorted(found))


def affinity_of(pending: Pending) -> dict[str, Any]:
    """The pods' `affinity`."""
    expressions: list[dict[str, Any]] = [
        {"key": MEMORY_LABEL, "operator": "Gt", "values": [str(pending.floor_mib - 1)]}
    ]
    if pending.hosts:
        expressions.append({"key": HOST_LABEL, "operator": "NotIn", "values": list(pending.hosts)})
    terms = {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def _pending(each: Unplaced, wish: Wish, gpu: GpuWish, nodes: Sequence[Node]) -> Pending:
    needs = [need for need in wish.needs if need.model in each.models]
    room = (together if wish.loading == "Always" else by_turns)(needs, gpu.count)
    floor = max(1, gpu.min_memory_mib, room.clear_mib, room.held_mib + gpu.headroom_mib)
    models = tuple(sorted(each.models))
    group = Group(
        name=_name(each.provider, models),
        provider=each.provider,
        node=None,
        models=models,
        loaded=models if wish.loading == "Always" else (),
        replicas=each.replicas,
        resources={_resource(gpu, floor, nodes): gpu.count},
        slots=(),
        required_mib=room.held_mib * gpu.count,
        why=each.message,
    )
    hosts = sorted(node.labels.get(HOST_LABEL, node.name) for node in nodes)
    return Pending(group, floor, tuple(hosts[:MAX_HOSTS]))


def _resource(gpu: GpuWish, floor_mib: int, nodes: Sequence[Node]) -> str:
    """What is asked for: of MIG the smallest profile that would do, if any node has one."""
    slots = [slot for node in nodes for slot in node.slots if slot.sharing == gpu.sharing]
    enough = [(slot.memory_mib, slot.resource) for slot in slots if slot.memory_mib >= floor_mib]
    if enough:
        return min(enough)[1]
    if slots:
        return max((slot.memory_mib, slot.resource) for slot in slots)[1]
    return SHARED if gpu.sharing == "TimeSliced" else WHOLE


def _name(provider: str, models: Sequence[str]) -> str:
    name = provider.partition("/")[2].replace(".", "-")[:MAX_NAME].rstrip("-")
    mark = hashlib.sha256("\n".join([provider, *models]).encode()).hexdigest()[:8]
    return f"{name}-{mark}{PENDING_SUFFIX}"
