"""Slots of one node: from what its kubelet allows, its labels, and what its agent has seen.

How many slots there are, Kubernetes says (`allocatable`). What one is worth, the agent says; where
there is none, or it fell silent, the labels of GPU Feature Discovery; else a table of products.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from penstock_operator.ollama.gpus import GpuReading, NodeGpus
from penstock_operator.ollama.planner.pools import plain_product
from penstock_operator.ollama.planner.products import (
    memory_of,
    natural,
    said_memory,
    said_product,
)
from penstock_operator.ollama.planner.types import Slot

GPU: Final = "nvidia.com/gpu"
SHARED: Final = "nvidia.com/gpu.shared"
MIG: Final = "nvidia.com/mig-"
FOREIGN_STEP_MIB: Final = 256
"""What others hold is rounded up to it, so that a plan does not change with every breath."""
MIG_MIB_PER_GB: Final = 972
"""A little less than any profile has: 4,864 MiB of `1g.5gb`, 40,192 of `3g.40gb`."""
OURS: Final = ("ollama", "llama-server", "llama_server")
"""What Ollama's processes are called."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is known of a node, beside how many slots it has."""

    labels: Mapping[str, str]
    seen: NodeGpus | None
    """What its agent says; `None`: no agent, or nothing recent."""
    hosts_ours: bool
    """Whether pods of ours hold GPUs there."""


def slots_of(
    allocatable: Mapping[str, int], held: Mapping[str, int], sighting: Sighting
) -> tuple[Slot, ...]:
    """All slots but those that other people's pods hold (`held`, by resource)."""
    found: list[Slot] = []
    for resource, count in sorted(allocatable.items()):
        slots = _slots(resource, count, sighting)
        found += _without_held(slots, held.get(resource, 0))
    return tuple(sorted(found))


def _slots(resource: str, count: int, sighting: Sighting) -> list[Slot]:
    labels = sighting.labels
    if resource.startswith(MIG) or "-MIG-" in labels.get("nvidia.com/gpu.product", ""):
        return _mig(resource, count, sighting)
    if labels.get("nvidia.com/gpu.sharing-strategy") == "mps":
        return _mps(resource, count, sighting)
    if resource == SHARED or natural(labels.get("nvidia.com/gpu.replicas")) > 1:
        return _time_sliced(resource, count, sighting)
    return _gpus(count, sighting)


def _time_sliced(resource: str, count: int, sighting: Sighting) -> list[Slot]:
    gpus = _gpus(_physical(count, sighting), sighting)
    each = -(-count // len(gpus))
    sliced = [replace(gpu, resource=resource, sharing="TimeSliced") for gpu in gpus]
    return [slot for slot in sliced for _ in range(each)][:count]


def _mps(resource: str, count: int, sighting: Sighting) -> list[Slot]:
    """MPS gives each of a GPU's replicas an even share of its memory, and holds it to that."""
    sliced = _time_sliced(resource, count, sighting)
    each = max(Counter(slot.gpu for slot in sliced).values(), default=1)
    return [
        replace(
            slot,
            gpu=index,
            memory_mib=slot.memory_mib // each,
            foreign_mib=slot.foreign_mib // each,
        )
        for index, slot in enumerate(sliced)
    ]


def _physical(count: int, sighting: Sighting) -> int:
    """How many GPUs are behind that many slots."""
    if sighting.seen and sighting.seen.gpus:
        return len(sighting.seen.gpus)
    replicas = natural(sighting.labels.get("nvidia.com/gpu.replicas"))
    said = natural(sighting.labels.get("nvidia.com/gpu.count"))
    return max(1, min(count, said or -(-count // max(1, replicas))))


def _gpus(count: int, sighting: Sighting) -> list[Slot]:
    """That many whole GPUs: those of least memory, where more are seen than Kubernetes grants."""
    seen = [gpu for gpu in sighting.seen.gpus if not gpu.mig_enabled] if sighting.seen else []
    if seen:
        slots = sorted((_seen(gpu, sighting) for gpu in seen), key=_clear_mib)
        slots += [replace(slots[0], gpu=100 + extra) for extra in range(count - len(slots))]
        return slots[:count]
    product = plain_product(said_product(sighting.labels))
    memory_mib = said_memory(sighting.labels) or memory_of(product)
    return [Slot(GPU, index, memory_mib, product) for index in range(count)]


def _seen(gpu: GpuReading, sighting: Sighting) -> Slot:
    foreign = foreign_mib(gpu, hosts_ours=sighting.hosts_ours)
    product = plain_product(gpu.product)
    return Slot(GPU, gpu.index, gpu.memory_mib, product, foreign_mib=min(foreign, gpu.memory_mib))


def foreign_mib(gpu: GpuReading, *, hosts_ours: bool) -> int:
    """What of a GPU's memory is held by others.

    Where our pods run, or Ollama does, what cannot be told to be somebody's is taken for ours:
    else a plan would count its own models as strangers, and move them.
    """
    listed = sum(p.used_mib for p in gpu.processes)
    named = sum(p.used_mib for p in gpu.processes if p.name and not is_ollama(p.name))
    unnamed = sum(p.used_mib for p in gpu.processes if not p.name)
    may_be_ours = hosts_ours or any(is_ollama(p.name) for p in gpu.processes)
    unknown = 0 if may_be_ours else unnamed + max(0, gpu.used_mib - listed)
    return -(-(named + unknown) // FOREIGN_STEP_MIB) * FOREIGN_STEP_MIB


def is_ollama(process: str) -> bool:
    """Whether a process is called as Ollama's are."""
    return any(name in process.lower() for name in OURS)


def _mig(resource: str, count: int, sighting: Sighting) -> list[Slot]:
    """Under names of their own; with strategy `single`, all of one profile, under the plain one."""
    profile = resource.removeprefix(MIG) if resource.startswith(MIG) else ""
    seen = list(_seen_slices(resource, profile, sighting))
    if seen:
        seen.sort(key=_clear_mib)
        return (seen + [seen[0]] * count)[:count]
    labels = sighting.labels
    own = natural(labels.get(f"{resource}.memory")) if profile else said_memory(labels)
    product = labels.get(f"{resource}.product", "") or said_product(labels)
    named = profile or product.partition("-MIG-")[2]
    memory_mib = own or _named_mib(named)
    return [
        Slot(resource, index, memory_mib, plain_product(product), "MIG") for index in range(count)
    ]


def _seen_slices(resource: str, profile: str, sighting: Sighting) -> Iterable[Slot]:
    for gpu in sighting.seen.gpus if sighting.seen else ():
        for mig in gpu.mig:
            if profile in ("", mig.profile.replace("+", ".")):
                foreign = 0 if sighting.hosts_ours else min(mig.used_mib, mig.memory_mib)
                product = plain_product(gpu.product)
                yield Slot(resource, gpu.index, mig.memory_mib, product, "MIG", foreign)


def _named_mib(profile: str) -> int:
    """Of `3g.40gb`."""
    gigabytes = profile.partition("g.")[2].partition("gb")[0]
    return natural(gigabytes) * MIG_MIB_PER_GB


def _without_held(slots: Sequence[Slot], held: int) -> list[Slot]:
    """Without as many as others' pods hold: the fullest, a guess, as Kubernetes does not tell."""
    fullest_last = sorted(slots, key=lambda slot: (slot.foreign_mib, slot))
    return fullest_last[: max(0, len(slots) - held)]


def _clear_mib(slot: Slot) -> tuple[int, int]:
    return (slot.memory_mib - slot.foreign_mib, slot.gpu)
