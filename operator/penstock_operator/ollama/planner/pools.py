"""What the pods of one node draw from: all free slots of one extended resource there.

Kubernetes hands out any of them. So a pool is as good as its worst slot: it has the memory of the
smallest, and a product only if all have it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from penstock_operator.ollama.planner.types import Node, Sharing, Slot, Taint, Toleration, Wish

GPU_TAINT = "nvidia.com/gpu"


@dataclass(frozen=True, slots=True)
class Pool:
    """Slots of a node that a pod cannot choose among."""

    node: Node
    resource: str
    sharing: Sharing
    products: frozenset[str]
    slots: tuple[Slot, ...]
    memory_mib: int
    """Of its smallest GPU."""
    clear_mib: int
    """Of the GPU with the least, what nobody else holds."""
    slots_per_gpu: int
    """The most that one physical GPU has."""


def pools_of(nodes: Sequence[Node]) -> tuple[Pool, ...]:
    """All pools of all nodes, sorted by node and resource."""
    found: list[Pool] = []
    for node in sorted(nodes, key=lambda node: node.name):
        ordered = sorted(node.slots, key=lambda slot: (slot.resource, slot.sharing, slot))
        for (resource, sharing), slots in groupby(ordered, lambda s: (s.resource, s.sharing)):
            found.append(_pool(node, resource, sharing, tuple(slots)))
    return tuple(found)


def _pool(node: Node, resource: str, sharing: Sharing, slots: tuple[Slot, ...]) -> Pool:
    return Pool(
        node=node,
        resource=resource,
        sharing=sharing,
        products=frozenset(slot.product for slot in slots),
        slots=slots,
        memory_mib=min(slot.memory_mib for slot in slots),
        clear_mib=max(0, min(slot.memory_mib - slot.foreign_mib for slot in slots)),
        slots_per_gpu=max(Counter(slot.gpu for slot in slots).values()),
    )


def plain_product(product: str) -> str:
    """A product's name without what sharing appends: `-SHARED`, `-MIG-1g.5gb`."""
    return product.split("-MIG-", maxsplit=1)[0].removesuffix("-SHARED")


def is_tolerated(taint: Taint, tolerations: Sequence[Toleration]) -> bool:
    """Whether pods come onto a node with this taint."""
    if taint.effect == "PreferNoSchedule" or taint.key == GPU_TAINT:
        return True
    return any(_bears(toleration, taint) for toleration in tolerations)


def _bears(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    return toleration.key == taint.key and toleration.value == taint.value


def is_selected(labels: Mapping[str, str], selector: Mapping[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in selector.items())


def admits(node: Node, wish: Wish) -> bool:
    """Whether the wish's pods may run on a node at all."""
    return (
        node.usable
        and is_selected(node.labels, wish.node_selector)
        and all(is_tolerated(taint, wish.tolerations) for taint in node.taints)
    )


def is_of_kind(pool: Pool, wish: Wish) -> bool:
    """Whether its slots are such as the wish asks for, whatever room they have."""
    gpu = wish.gpu
    if gpu is None or pool.sharing != gpu.sharing or pool.memory_mib < gpu.min_memory_mib:
        return False
    wanted = frozenset(map(plain_product, gpu.products))
    if wanted and not pool.products <= wanted:
        return False
    if gpu.count == 1:
        return True
    joins = pool.sharing == "Exclusive" and len(pool.products) == 1
    return joins and gpu.count <= len(pool.slots)
