"""What the planner looks at, and what it answers. Data alone; memory in MiB.

A `Node` has `Slot`s: what a pod can be granted there. A `Wish` has `Need`s: what a provider wants
run. A `Plan` has `Group`s, who go somewhere, and `Unplaced`, who go nowhere, and why.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Sharing = Literal["Exclusive", "TimeSliced", "MIG"]
Loading = Literal["Always", "OnDemand"]
"""Always: every model of a group stays loaded. OnDemand: more than fit at once are served, the
others are loaded when they are asked for, in the place of the least used."""


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One unit of an extended resource: what one pod gets that asks for 1.

    Time-sliced slots of the same `gpu` share its memory: each says all of it.
    """

    resource: str
    """`nvidia.com/gpu`, `nvidia.com/gpu.shared`, `nvidia.com/mig-3g.40gb`."""
    gpu: int
    """Index of the GPU on its node."""
    memory_mib: int
    """0: not known, so that nothing can be planned there."""
    product: str
    """As in label `nvidia.com/gpu.product`, without `-SHARED` and `-MIG-...`."""
    sharing: Sharing = "Exclusive"
    foreign_mib: int = 0
    """Of its memory, what processes hold that are none of ours."""


@dataclass(frozen=True, slots=True)
class Taint:
    """As Kubernetes means it."""

    key: str
    value: str = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"


@dataclass(frozen=True, slots=True)
class Toleration:
    """As Kubernetes means it; without a key and with Exists it bears everything."""

    key: str | None = None
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str = ""
    effect: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A node that may run models. Slots that other people's pods hold are not in here."""

    name: str
    slots: tuple[Slot, ...]
    zone: str = ""
    """Failure domain, `topology.kubernetes.io/zone`."""
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    usable: bool = True
    """Ready, and not cordoned."""


@dataclass(frozen=True, slots=True)
class Need:
    """A model, and the GPU memory that it takes with its whole context."""

    model: str
    weights_mib: int
    kv_mib: int
    """Of the key-value cache, for all parallel requests."""
    overhead_mib: int
    """Buffers of the computation, for each GPU that it lies on."""
    parallel: int = 1
    context_length: int = 4096
    """Tokens of one request."""
    source: Literal["said", "table", "formula"] = "formula"
    """Where the size is from."""
    demand: float = 0.0
    """How much it is asked for, in any unit: who stays loaded where not all can."""

    def total_mib(self, gpus: int = 1) -> int:
        return self.weights_mib + self.kv_mib + self.overhead_mib * gpus


@dataclass(frozen=True, slots=True)
class GpuWish:
    """What one replica needs of GPUs."""

    count: int = 1
    products: tuple[str, ...] = ()
    """Empty: any."""
    min_memory_mib: int = 0
    headroom_mib: int = 1024
    """Of each GPU, what stays unplanned."""
    sharing: Sharing = "Exclusive"
    cpu_fallback: bool = False
    """Whether a replica may run on CPU where no GPU has room."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a managed provider wants run."""

    provider: str
    """`<namespace>/<name>`."""
    needs: tuple[Need, ...]
    replicas: int
    gpu: GpuWish | None = None
    """`None`: on CPU, anywhere."""
    loading: Loading = "Always"
    priority: int = 0
    """Of the tiers that use it, the highest: more may take the place of less."""
    tolerations: tuple[Toleration, ...] = ()
    """`nvidia.com/gpu` taints are borne without being named here."""
    node_selector: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """A placement group: equal replicas of some models of one provider, on one node.

    A Deployment each. `node` of `None`: on CPU, wherever the scheduler likes.
    """

    name: str
    """Of the Deployment: DNS label, the same for the same provider, node, resource, models."""
    provider: str
    node: str | None
    models: tuple[str, ...]
    """All that it serves, sorted."""
    loaded: tuple[str, ...]
    """Of these, the ones that are loaded from the beginning; all of them with `Always`.

    In the order in which they are to be loaded, largest first: Ollama loads a model wholly only
    if it needs no more than 80 % of what is free then.
    """
    replicas: int
    resources: Mapping[str, int]
    """Extended resources of one replica: `{"nvidia.com/gpu": 2}`; empty on CPU."""
    slots: tuple[Slot, ...]
    """What was reckoned with, `replicas` times the count; for the explanation alone: Kubernetes
    hands out slots of one node as it likes."""
    required_mib: int
    """Of one replica, over all its GPUs."""
    why: str
    """One sentence: why there."""


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Replicas that found no place."""

    provider: str
    models: tuple[str, ...]
    replicas: int
    reason: Literal["InsufficientVRAM", "NoGpuFree", "NoSuchGpu", "NotTolerated", "NoNode"]
    message: str
    """What was needed, what the best node had, and what would make it possible."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Sorted; equal input in any order gives an equal plan."""

    groups: tuple[Group, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
