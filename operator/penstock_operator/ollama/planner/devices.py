"""Slots of one node: from what its kubelet allows, its labels, and what its agent has seen.

How many slots there are, Kubernetes says (`allocatable`). What one is worth, the agent says; where
there is none, or it fell silent, the labels of GPU Feature Discovery; else a table of products.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from penstock_operator.ollama.gpus import GpuReading, MigInstance, NodeGpus
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
SHARED_SUFFIX: Final = ".shared"
"""Of a resource that is granted several times over, with the plugin's `renameByDefault`; labels
keep the name without it. Else the product has `-SHARED`."""
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
    if _is_shared(resource, labels):
        return _time_sliced(resource, count, sighting)
    return _gpus(count, sighting)


def _is_shared(resource: str, labels: Mapping[str, str]) -> bool:
    """Whether several pods are granted the same GPU, or slice of one."""
    marked = labels.get(f"{_plain(resource)}.product", "").endswith("-SHARED")
    return marked or resource.endswith(SHARED_SUFFIX) or _replicas(resource, labels) > 1


def _replicas(resource: str, labels: Mapping[str, str]) -> int:
    """How many slots each GPU, or slice, makes; 0: nobody says."""
    return natural(labels.get(f"{_plain(resource)}.replicas"))


def _plain(resource: str) -> str:
    """As labels call it."""
    return resource.removesuffix(SHARED_SUFFIX)


def _time_sliced(resource: str, count: int, sighting: Sighting) -> list[Slot]:
    seen = len(sighting.seen.gpus) if sighting.seen else 0
    gpus = _gpus(seen or _physical(resource, count, sighting.labels), sighting)
    return _in_turns(resource, count, gpus, sighting.labels)


def _in_turns(
    resource: str, count: int, parts: Sequence[Slot], labels: Mapping[str, str]
) -> list[Slot]:
    """Slots of GPUs or slices, worst first: of fewer than they make, who lacks some is not told."""
    each = max(_replicas(resource, labels), -(-count // len(parts)))
    sliced = [replace(part, resource=resource, sharing="TimeSliced") for part in parts]
    return [slot for slot in sliced for _ in range(each)][:count]


def _mps(resource: str, count: int, sighting: Sighting) -> list[Slot]:
    """MPS gives each of a GPU's replicas an even share of its memory, and holds it to that."""
    sliced = _time_sliced(resource, count, sighting)
    seen = Counter(slot.gpu for slot in sliced).values()
    each = max(*seen, _replicas(resource, sighting.labels))
    return [
        replace(
            slot,
            gpu=index,
            memory_mib=slot.memory_mib // each,
            foreign_mib=slot.foreign_mib // each,
        )
        for index, slot in enumerate(sliced)
    ]


def _physical(resource: str, count: int, labels: Mapping[str, str]) -> int:
    """How many GPUs, or slices, are behind that many slots; one, where nobody says it."""
    said = natural(labels.get(f"{_plain(resource)}.count"))
    return max(1, min(count, said or -(-count // (_replicas(resource, labels) or count))))


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
    """Under names of their own; with strategy `single`, all of one profile, under the plain one.

    A slice has its memory for itself, but not the pods that share one in time.
    """
    shared = _is_shared(resource, sighting.labels)
    seen = sorted(_seen_slices(resource, sighting, shared=shared), key=_clear_mib)
    if not shared:
        return (seen + seen[:1] * count)[:count] or _said_slices(resource, count, sighting)
    found = seen or _said_slices(resource, _physical(resource, count, sighting.labels), sighting)
    slices = [replace(slot, gpu=index) for index, slot in enumerate(found)]
    return _in_turns(resource, count, slices, sighting.labels)


def _said_slices(resource: str, count: int, sighting: Sighting) -> list[Slot]:
    """By labels, or by the profile's name."""
    labels, plain, profile = sighting.labels, _plain(resource), _profile(resource)
    own = natural(labels.get(f"{plain}.memory")) if profile else said_memory(labels)
    product = labels.get(f"{plain}.product", "") or said_product(labels)
    memory_mib = own or _named_mib(profile or product.partition("-MIG-")[2])
    return [
        Slot(resource, index, memory_mib, plain_product(product), "MIG") for index in range(count)
    ]


def _seen_slices(resource: str, sighting: Sighting, *, shared: bool) -> Iterable[Slot]:
    profile = _profile(resource)
    for gpu in sighting.seen.gpus if sighting.seen else ():
        for mig in gpu.mig:
            if profile in ("", mig.profile.replace("+", ".")):
                foreign = _foreign_in(mig, gpu, sighting, shared=shared)
                product = plain_product(gpu.product)
                yield Slot(resource, gpu.index, mig.memory_mib, product, "MIG", foreign)


def _foreign_in(mig: MigInstance, gpu: GpuReading, sighting: Sighting, *, shared: bool) -> int:
    """Whose processes are in which slice nobody says. In one that is not shared and may be ours all
    are taken for ours; in one that is shared, others' of the whole GPU may be."""
    used = min(mig.used_mib, mig.memory_mib)
    if shared:
        return min(used, foreign_mib(gpu, hosts_ours=sighting.hosts_ours))
    return 0 if sighting.hosts_ours else used


def _profile(resource: str) -> str:
    """`1g.5gb`; empty with strategy `single`."""
    return _plain(resource).removeprefix(MIG) if resource.startswith(MIG) else ""


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
