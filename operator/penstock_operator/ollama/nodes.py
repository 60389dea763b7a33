"""Kubernetes nodes as the planner sees them: which GPUs a pod can be granted there, and how large.

What a node has is in its allocatable resources; what these are, the node agent says, else labels of
NVIDIA's GPU Feature Discovery (`nvidia.com/gpu.product`, `gpu.memory` in MiB, `gpu.replicas`,
`gpu.sharing-strategy`, `mig-<profile>.memory`). Of a GPU whose memory nobody says nothing is
planned.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from penstock_operator.ollama.gpus import GpuReading, NodeGpus
from penstock_operator.ollama.names import PROVIDER_LABEL
from penstock_operator.ollama.planner.types import Node, Sharing, Slot, Taint

Document = Mapping[str, Any]
Held = Mapping[str, Mapping[str, int]]
"""By node: extended resources that other people's pods hold there."""
VENDOR: Final = "nvidia.com/"
WHOLE: Final = f"{VENDOR}gpu"
SHARED: Final = f"{VENDOR}gpu.shared"
MIG_PREFIX: Final = f"{VENDOR}mig-"
ZONE_LABEL: Final = "topology.kubernetes.io/zone"
MAX_SLOTS: Final = 512
"""Of one node: its kubelet is trusted, but not with our memory."""
OURS: Final = re.compile(r"ollama|llama", re.IGNORECASE)
"""Names of processes that hold GPU memory for us."""
MIG_PROFILE: Final = re.compile(r"\d+g\.(\d+)gb")
MIG_MIB_PER_GB: Final = 972
"""A little less than any profile has: 4,864 MiB of `1g.5gb`, 40,192 of `7g.40gb`."""


@dataclass(frozen=True, slots=True)
class _Machine:
    """What is said of one node."""

    labels: Mapping[str, str]
    reading: NodeGpus | None
    ours: bool
    """Whether a pod of ours runs there: then used memory may be its own."""

    def number(self, label: str, default: int = 0) -> int:
        text = self.labels.get(f"{VENDOR}{label}", "")
        return int(text) if text.isdecimal() else default

    @property
    def product(self) -> str:
        found = self.labels.get(f"{VENDOR}gpu.product", "")
        return re.sub(r"-(SHARED|MIG-.*)$", "", found)

    @property
    def gpus(self) -> Sequence[GpuReading]:
        return self.reading.gpus if self.reading is not None else ()


def nodes_of(
    documents: Iterable[Document],
    readings: Mapping[str, NodeGpus],
    held: Held,
    ours: Iterable[str] = (),
) -> tuple[Node, ...]:
    """Those that have GPUs, sorted. `readings` by node, fresh ones alone; `ours`: nodes on which
    pods of ours run."""
    with_ours = frozenset(ours)
    found = []
    for document in documents:
        name = document["metadata"]["name"]
        labels = document["metadata"].get("labels") or {}
        machine = _Machine(labels, readings.get(name), name in with_ours)
        slots = _slots(document, machine, held.get(name, {}))
        if slots:
            found.append(_node(document, slots))
    return tuple(sorted(found, key=lambda node: node.name))


def gpu_nodes(documents: Iterable[Document]) -> list[str]:
    """Names of those that say they have GPUs."""
    return sorted(d["metadata"]["name"] for d in documents if _amounts(d))


def held_by(pods: Iterable[Document]) -> dict[str, dict[str, int]]:
    """What other people's pods that run, or are about to, hold of GPUs, by node."""
    found: dict[str, dict[str, int]] = {}
    for pod in pods:
        spec, labels = pod.get("spec") or {}, pod["metadata"].get("labels") or {}
        over = (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}
        if over or PROVIDER_LABEL in labels or not (node := spec.get("nodeName")):
            continue
        for resource, amount in _requests(spec).items():
            of_node = found.setdefault(node, {})
            of_node[resource] = of_node.get(resource, 0) + amount
    return found


def is_ready(document: Document) -> bool:
    conditions = (document.get("status") or {}).get("conditions") or ()
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def _node(document: Document, slots: tuple[Slot, ...]) -> Node:
    spec, labels = document.get("spec") or {}, document["metadata"].get("labels") or {}
    return Node(
        name=document["metadata"]["name"],
        slots=slots,
        zone=labels.get(ZONE_LABEL, ""),
        labels=dict(labels),
        taints=tuple(map(_taint, spec.get("taints") or ())),
        usable=is_ready(document) and not spec.get("unschedulable", False),
    )


def _taint(document: Document) -> Taint:
    return Taint(document["key"], document.get("value") or "", document["effect"])


def _slots(document: Document, machine: _Machine, held: Mapping[str, int]) -> tuple[Slot, ...]:
    """Without as many as others hold: the fullest ones, as which they hold nobody says."""
    found: list[Slot] = []
    for resource, amount in sorted(_amounts(document).items()):
        slots = _of_resource(resource, min(amount, MAX_SLOTS), machine)
        slots.sort(key=lambda slot: (slot.foreign_mib, slot))
        found += slots[: max(0, len(slots) - held.get(resource, 0))]
    return tuple(sorted(slot for slot in found if slot.memory_mib > 0))


def _of_resource(resource: str, amount: int, machine: _Machine) -> list[Slot]:
    if resource.startswith(MIG_PREFIX):
        return _of_profile(resource, amount, machine)
    replicas = max(1, machine.number("gpu.replicas", 1))
    if resource != SHARED and replicas == 1:
        return _whole(resource, amount, machine)
    count = machine.number("gpu.count") or len(machine.gpus) or -(-amount // replicas)
    each = max(1, -(-amount // max(1, count)))
    if machine.labels.get(f"{VENDOR}gpu.sharing-strategy") == "mps":  # each has a part of its own
        part = machine.number("gpu.memory") // each
        return [Slot(resource, i, part, machine.product, "TimeSliced") for i in range(amount)]
    return [_slot(resource, i // each, machine, "TimeSliced") for i in range(amount)]


def _whole(resource: str, amount: int, machine: _Machine) -> list[Slot]:
    """With strategy `single`, a node's GPUs are all of one MIG profile, under the plain name."""
    if "-MIG-" in machine.labels.get(f"{VENDOR}gpu.product", ""):
        memory = machine.number("gpu.memory")
        return [Slot(resource, i, memory, machine.product, "MIG") for i in range(amount)]
    plain = [gpu.index for gpu in machine.gpus if not gpu.mig_enabled]
    indexes = plain if len(plain) == amount else range(amount)
    return [_slot(resource, index, machine, "Exclusive") for index in indexes]


def _slot(resource: str, gpu: int, machine: _Machine, sharing: Sharing) -> Slot:
    reading = next((each for each in machine.gpus if each.index == gpu), None)
    if reading is None:
        return Slot(resource, gpu, machine.number("gpu.memory"), machine.product, sharing)
    foreign = _foreign_mib(reading, machine)
    return Slot(resource, gpu, reading.memory_mib, reading.product, sharing, foreign)


def _foreign_mib(reading: GpuReading, machine: _Machine) -> int:
    """What processes hold that are none of ours. Where nobody names the processes: all that is
    used, unless that may be ours."""
    if reading.processes:
        return sum(p.used_mib for p in reading.processes if not OURS.search(p.name))
    return 0 if machine.ours else reading.used_mib


def _of_profile(resource: str, amount: int, machine: _Machine) -> list[Slot]:
    profile = resource.removeprefix(MIG_PREFIX)
    instances = [
        (gpu, instance)
        for gpu in machine.gpus
        for instance in gpu.mig
        if instance.profile.replace("+", ".") == profile
    ]
    if len(instances) == amount:
        return [
            Slot(resource, gpu.index, instance.memory_mib, gpu.product, "MIG")
            for gpu, instance in instances
        ]
    said = MIG_PROFILE.search(profile)
    guess = int(said[1]) * MIG_MIB_PER_GB if said else 0
    memory = machine.number(f"mig-{profile}.memory", guess)
    return [Slot(resource, i, memory, machine.product, "MIG") for i in range(amount)]


def _amounts(document: Document) -> dict[str, int]:
    """Allocatable GPUs by resource."""
    found = (document.get("status") or {}).get("allocatable") or {}
    return {name: n for name, text in found.items() if _is_gpu(name) and (n := _count(text)) > 0}


def _requests(spec: Document) -> dict[str, int]:
    """What a pod is granted: of its containers the sum, and of an init container at least its
    own."""
    found: dict[str, int] = {}
    for container in spec.get("containers") or ():
        for name, amount in _of_container(container).items():
            found[name] = found.get(name, 0) + amount
    first = (_of_container(each).items() for each in spec.get("initContainers") or ())
    for name, amount in chain.from_iterable(first):
        found[name] = max(found.get(name, 0), amount)
    return found


def _of_container(container: Document) -> dict[str, int]:
    resources = container.get("resources") or {}
    said = {**(resources.get("requests") or {}), **(resources.get("limits") or {})}
    return {name: _count(text) for name, text in said.items() if _is_gpu(name)}


def _is_gpu(resource: str) -> bool:
    return resource in {WHOLE, SHARED} or resource.startswith(MIG_PREFIX)


def _count(text: object) -> int:
    """Extended resources are whole; what is no number is nothing."""
    return int(said) if (said := str(text)).isdecimal() else 0
