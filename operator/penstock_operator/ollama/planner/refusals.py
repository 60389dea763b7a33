"""What found no place: why, what is there, and what would make it possible."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from penstock_operator.ollama.planner import memory
from penstock_operator.ollama.planner.placement import Placement
from penstock_operator.ollama.planner.pools import Pool, is_of_kind, is_selected, is_tolerated
from penstock_operator.ollama.planner.problem import Asked, Models, needs_of
from penstock_operator.ollama.planner.reasons import gpus, listed, mib, products, unit
from penstock_operator.ollama.planner.types import Node, Taint, Unplaced

Reason = Literal["InsufficientVRAM", "NoGpuFree", "NoSuchGpu", "NotTolerated", "NoNode"]

MAX_COUNT: Final = 16
"""Most GPUs of one replica that are proposed."""
MUCH_CACHE: Final = 0.2
"""Share of a model's need from which a shorter context is worth a word."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Models that are missing equally often."""

    models: Models
    replicas: int
    possible: bool
    """Whether there is a GPU that would do, if it were free."""


def lots_of(placement: Placement, wish: int) -> list[Lot]:
    """What is missing of a wish."""
    asked = placement.problem.asked[wish]
    found: dict[tuple[int, bool], list[str]] = {}
    for model, pods in placement.cover[wish].items():
        if pods < asked.wish.replicas:
            possible = bool(asked.part((model,)).pools)
            found.setdefault((asked.wish.replicas - pods, possible), []).append(model)
    return [Lot(tuple(models), *key) for key, models in sorted(found.items())]


def refusal_of(placement: Placement, wish: int, lot: Lot, nodes: Sequence[Node]) -> Unplaced:
    """Why it is missing."""
    asked = placement.problem.asked[wish]
    if lot.possible:
        reason, message = _taken(placement, asked, lot.models)
    else:
        reason, message = _impossible(asked, lot.models, nodes)
    return Unplaced(asked.wish.provider, lot.models, lot.replicas, reason, message)


def _impossible(asked: Asked, models: Models, nodes: Sequence[Node]) -> tuple[Reason, str]:
    """No GPU would do, even an empty one."""
    wish = asked.wish
    selected = [n for n in nodes if n.usable and is_selected(n.labels, wish.node_selector)]
    if not selected:
        return "NoNode", _no_node(asked, nodes)
    of_kind = [p for p in asked.all_pools() if p.node in selected and is_of_kind(p, wish)]
    if not of_kind:
        return "NoSuchGpu", _no_such_gpu(asked, selected)
    if not asked.suitable:
        return "NotTolerated", _not_tolerated(asked, of_kind)
    return "InsufficientVRAM", _too_large(asked, models)


def _no_node(asked: Asked, nodes: Sequence[Node]) -> str:
    if not nodes:
        return "no node of the cluster has GPUs that Kubernetes knows of: add one"
    selector = ", ".join(f"{k}={v}" for k, v in sorted(asked.wish.node_selector.items()))
    chosen = [n for n in nodes if is_selected(n.labels, asked.wish.node_selector)]
    if not chosen:
        return f"none of {len(nodes)} nodes has the labels {selector}: label one, or ask for others"
    names = listed(sorted(node.name for node in chosen))
    return f"no node that will do is ready and open to pods: {names} must be so again, or add one"


def _no_such_gpu(asked: Asked, selected: Sequence[Node]) -> str:
    gpu = asked.gpu
    wanted = f"{gpu.count} GPU" if gpu.count > 1 else "a GPU"
    wanted += f" ({listed(gpu.products)})" if gpu.products else ""
    wanted += f" of at least {mib(gpu.min_memory_mib)}" if gpu.min_memory_mib else ""
    if gpu.count > 1 and gpu.sharing != "Exclusive":
        return (
            f"asks for {gpu.count} GPUs with sharing {gpu.sharing}, and a pod can use only one"
            " that is shared: set gpu.count: 1, or sharing: Exclusive"
        )
    there = Counter(
        (unit(pool), pool.sharing, len(pool.slots), mib(pool.memory_mib))
        for pool in asked.all_pools()
        if pool.node in selected
    )
    found = [
        f"{count} x {slots} {name} ({sharing}, {size})"
        for (name, sharing, slots, size), count in sorted(there.items())
    ]
    others = f"nodes have {listed(found)}" if found else "no node has a free GPU"
    return (
        f"asks for {wanted} on one node, {gpu.sharing}; {others}: add such a GPU,"
        " or ask for what there is (gpu.products, gpu.count, gpu.minMemoryMiB, gpu.sharing)"
    )


def _not_tolerated(asked: Asked, of_kind: Sequence[Pool]) -> str:
    taints: dict[Taint, str] = {}
    for pool in of_kind:
        for taint in pool.node.taints:
            if not is_tolerated(taint, asked.wish.tolerations):
                taints.setdefault(taint, pool.node.name)
    named = listed(f"{t.key}={t.value}:{t.effect} ({node})" for t, node in taints.items())
    return f"nodes that would do have taints that are not borne: {named}: add tolerations for them"


def _too_large(asked: Asked, models: Models) -> str:
    part = max((asked.part((model,)) for model in models), key=lambda part: part.room.held_mib)
    best = max((asked.pool(index) for index in asked.suitable), key=lambda pool: pool.clear_mib)
    room, headroom = part.room, part.headroom_mib
    whole = max(room.clear_mib, room.held_mib + headroom)
    needed = (
        f"{listed(part.models)} needs {mib(room.held_mib)} on {gpus(part.slots)}"
        f" ({mib(whole)} with {memory.LOAD_PERCENT} % of what is free, or {mib(headroom)} headroom)"
    )
    if not best.memory_mib:
        unknown = listed(sorted({asked.pool(i).node.name for i in asked.suitable}))
        return (
            f"{needed}; how much memory the GPUs of {unknown} have is not known:"
            " run the node agent or GPU Feature Discovery there"
        )
    return (
        f"{needed}; the largest is {mib(best.clear_mib)} of {products(best)} on {best.node.name}:"
        f" {_remedies(asked, part.models, whole)}"
    )


def _remedies(asked: Asked, models: Models, whole_mib: int) -> str:
    (need,) = needs_of(asked.wish, models)
    ways = [f"add a GPU of at least {-(-whole_mib // 1024)} GiB"]
    count = _count_that_would_do(asked, models)
    if count:
        ways.append(f"set gpu.count: {count}")
    if need.kv_mib >= MUCH_CACHE * need.total_mib():
        ways.append("a shorter contextLength or less parallel")
    ways.append("a smaller quantisation")
    if not asked.gpu.cpu_fallback:
        ways.append("allow gpu.cpuFallback")
    return ", ".join(ways[:-1]) + f", or {ways[-1]}"


def _count_that_would_do(asked: Asked, models: Models) -> int | None:
    if asked.gpu.sharing != "Exclusive":
        return None
    needs, headroom = needs_of(asked.wish, models), asked.gpu.headroom_mib
    for count in range(asked.gpu.count + 1, MAX_COUNT + 1):
        room = memory.together(needs, count)
        for pool in map(asked.pool, asked.suitable):
            if len(pool.slots) >= count and room.fits(pool.clear_mib, headroom):
                return count
    return None


def _taken(placement: Placement, asked: Asked, models: Models) -> tuple[Reason, str]:
    """A GPU would do, but others have it."""
    parts = [asked.part((model,)) for model in models]
    part = max(parts, key=lambda part: part.room.held_mib)
    holders: Counter[tuple[str, int]] = Counter()
    for pool in part.pools:
        for other, count in placement.pods[pool].items():
            wish = placement.problem.asked[other.wish].wish
            holders[wish.provider, wish.priority] += count * other.slots
    names = [
        f"{provider} ({slots}, priority {priority})"
        for (provider, priority), slots in sorted(
            holders.items(), key=lambda item: (-item[0][1], -item[1], item[0][0])
        )
    ]
    freest = max(part.pools, key=lambda pool: (placement.free[pool], -pool))
    best = asked.pool(freest)
    slots = sum(len(asked.pool(index).slots) for index in part.pools)
    held = f"are taken by {listed(names)}" if names else "are not free together"
    whole = max(part.room.clear_mib, part.room.held_mib + part.headroom_mib)
    message = (
        f"{listed(part.models)} needs {mib(part.room.held_mib)} on {gpus(part.slots)};"
        f" {slots} that would do {held}; the most that is free on one node is"
        f" {placement.free[freest]} of {len(best.slots)} {unit(best)} on {best.node.name}:"
        f" add a GPU of at least {-(-whole // 1024)} GiB, ask for fewer replicas,"
        " or give a tier that uses it a higher priority"
    )
    return "NoGpuFree", message
