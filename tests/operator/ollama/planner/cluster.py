"""Nodes and wishes, said shortly."""

from penstock_operator.ollama.planner.types import GpuWish, Need, Node, Sharing, Slot, Wish

L4 = ("NVIDIA-L4", 23034)
A100 = ("NVIDIA-A100-SXM4-80GB", 81920)
RTX4070 = ("NVIDIA-GeForce-RTX-4070", 12282)


def node(name: str, product: tuple[str, int], gpus: int = 1, zone: str = "") -> Node:
    """A node with whole GPUs."""
    label, memory_mib = product
    return Node(
        name, tuple(Slot("nvidia.com/gpu", i, memory_mib, label) for i in range(gpus)), zone
    )


def shared(name: str, product: tuple[str, int], gpus: int, slots: int) -> Node:
    """A node with time-sliced GPUs."""
    label, memory_mib = product
    slot = [Slot("nvidia.com/gpu.shared", i, memory_mib, label, "TimeSliced") for i in range(gpus)]
    return Node(name, tuple(slot * slots))


def sliced(name: str, **profiles: int) -> Node:
    """A node with an A100 in MIG slices, `g3_40=1` being one of `3g.40gb`."""
    found: list[Slot] = []
    for profile, count in profiles.items():
        compute, gigabytes = profile[1:].split("_")
        resource = f"nvidia.com/mig-{compute}g.{gigabytes}gb"
        found += [Slot(resource, 0, int(gigabytes) * 1000, A100[0], "MIG")] * count
    return Node(name, tuple(found))


def need(model: str, weights_mib: int, demand: float = 0.0) -> Need:
    """A model of that size, all of it weights."""
    return Need(model, weights_mib, 0, 0, demand=demand)


def wish(
    provider: str,
    *weights_mib: int,
    replicas: int = 1,
    priority: int = 0,
    count: int = 1,
    sharing: Sharing = "Exclusive",
) -> Wish:
    """Models `m0`, `m1`, ... of these sizes."""
    needs = tuple(need(f"m{i}", size) for i, size in enumerate(weights_mib))
    gpu = GpuWish(count=count, sharing=sharing)
    return Wish(f"team/{provider}", needs, replicas, gpu, priority=priority)
