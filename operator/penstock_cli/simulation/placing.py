"""What the operator's planner says of a scenario: which GPU serves which models."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from penstock_cli.failure import WrongUsage
from penstock_cli.simulation.fleet import devices_of, needed_by, served_by
from penstock_cli.simulation.scenario import ManagedProvider, Specification
from penstock_cli.simulation.speed import Device
from penstock_operator.ollama.planner.plan import plan
from penstock_operator.ollama.planner.types import (
    GpuWish,
    Group,
    Node,
    Plan,
    Sharing,
    Slot,
    Wish,
)

WHOLE_GPU = "nvidia.com/gpu"


@dataclass(frozen=True, slots=True)
class Placed:
    """What a GPU, or a partition, serves."""

    models: tuple[str, ...]
    loaded: tuple[str, ...]
    """Of these, the ones that are loaded before the first request."""


@dataclass(frozen=True, slots=True)
class Placement:
    by_gpu: Mapping[str, Placed]
    plan: Plan


def placement_of(spec: Specification) -> Placement:
    """Asks the planner as the operator does, with the demand that the traffic lets expect."""
    demand = expected_calls(spec)
    made = plan(_nodes(spec), [_wish(provider, demand) for provider in spec.providers])
    free = {device.name: device for device in devices_of(spec)}
    found: dict[str, Placed] = {}
    for group in made.groups:
        for slot in group.slots:
            device = next(d for d in free.values() if _is_slot(d, group, slot))
            del free[device.name]
            found[device.name] = Placed(group.models, group.loaded)
    return Placement(found, made)


def expected_calls(spec: Specification) -> Mapping[str, float]:
    """In an hour, by model."""
    found = dict.fromkeys((model.name for model in spec.models), 0.0)
    for stream in spec.traffic.streams:
        weights = sum(model.weight for model in stream.models)
        turns = (stream.turns.least + stream.turns.most) / 2
        members = (stream.members.least + stream.members.most) / 2
        for model in stream.models:
            found[model.name] += stream.per_hour * turns * members * model.weight / weights
    return found


def _nodes(spec: Specification) -> list[Node]:
    devices = devices_of(spec)
    return [
        Node(node.name, tuple(_slot(d) for d in devices if d.node == node.name), node.zone)
        for node in spec.nodes
    ]


def _slot(device: Device) -> Slot:
    index = int(device.name.rpartition("/")[2].partition(".")[0])
    sharing: Sharing = "MIG" if device.profile else "Exclusive"
    return Slot(_resource(device), index, device.memory_mib, device.product, sharing)


def _resource(device: Device) -> str:
    return f"nvidia.com/mig-{device.profile}" if device.profile else WHOLE_GPU


def _is_slot(device: Device, group: Group, slot: Slot) -> bool:
    return device.node == group.node and _slot(device) == slot


def _wish(provider: ManagedProvider, demand: Mapping[str, float]) -> Wish:
    gpu = provider.gpu
    if gpu.count != 1 or gpu.sharing == "TimeSliced":
        msg = (
            f"provider {provider.name}: a replica on several GPUs, or on a time slice of one, is"
            " not simulated; leave gpu.count at 1 and gpu.sharing at Exclusive or MIG"
        )
        raise WrongUsage(msg)
    return Wish(
        provider=f"default/{provider.name}",
        needs=tuple(
            replace(needed_by(model), demand=demand[model.name]) for model in served_by(provider)
        ),
        replicas=provider.replicas,
        gpu=GpuWish(
            products=gpu.products,
            min_memory_mib=gpu.min_memory_mib or 0,
            headroom_mib=gpu.headroom_mib,
            sharing=gpu.sharing,
        ),
        loading=provider.loading,
        priority=provider.priority,
    )
