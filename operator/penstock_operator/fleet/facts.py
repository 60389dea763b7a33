"""What is known of one managed provider at one moment, and what follows from it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from penstock_operator.api.ollama import Ollama
from penstock_operator.fleet.observed import Told
from penstock_operator.fleet.replicas import ON_DISK, percent
from penstock_operator.ollama.fleet import is_pending
from penstock_operator.ollama.planner.types import Group, Need, Node, Unplaced
from penstock_operator.ollama.progress import ModelProgress, State
from penstock_operator.status import FleetReason

Fault = tuple[FleetReason, str]
FURTHEST_FIRST: tuple[State, ...] = (
    *("Ready", "Idle", "Loading", "Creating", "Pulling", "Failed", "Waiting"),
)


@dataclass(frozen=True, slots=True)
class Facts:
    """`groups` are those that are meant to be there, without a place too."""

    generation: int
    ollama: Ollama
    wanted: int
    suspended: bool = False
    groups: tuple[Group, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    needs: Mapping[str, Need] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Models whose size nobody knows, and what to set."""
    pods: tuple[Told, ...] = ()
    fault: Fault | None = None
    """Why nothing was planned, or what was planned could not be written."""
    last_request: datetime | None = None
    """With `scaleToZeroAfterSeconds` alone."""

    @property
    def placed(self) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if not is_pending(group.name))


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model over all pods."""

    name: str
    state: State
    ready: int
    """Pods that serve it."""
    loaded: int
    vram_mib: int
    size_mib: int
    """In memory, of the pod that has the least of it on GPUs; with `on_gpu_percent`."""
    on_gpu_percent: int | None
    """Of what is in memory, least over the pods; `None`: nobody has it in memory."""
    percent: int | None
    message: str


def models_of(facts: Facts) -> tuple[ModelFacts, ...]:
    """In the order of the spec."""
    there = [told for told in facts.pods if not told.pod.leaving]
    by_name: dict[str, list[tuple[Told, ModelProgress]]] = {}
    for told in there:
        for model in told.progress.models if told.progress else ():
            by_name.setdefault(model.name, []).append((told, model))
    return tuple(_model(each.name, by_name.get(each.name, [])) for each in facts.ollama.models)


def serving(pods: Iterable[Told], models: Iterable[str]) -> int:
    """How many pods serve each model at least."""
    found = dict.fromkeys(models, 0)
    for told in pods:
        said = told.progress.models if told.progress else ()
        for name in {model.name for model in said if model.state in ON_DISK} & found.keys():
            found[name] += told.pod.ready
    return min(found.values(), default=0)


def memory_of(nodes: Iterable[Node], groups: Iterable[Group]) -> dict[str, dict[str, int]]:
    """By node, MiB of its GPUs: what there is, what is planned, what others hold."""
    found = {}
    for node in nodes:
        parts = {
            (slot.resource, slot.gpu, index if slot.sharing == "MIG" else 0): slot
            for index, slot in enumerate(node.slots)
        }
        total = sum(slot.memory_mib for slot in parts.values())
        foreign = sum(slot.foreign_mib for slot in parts.values())
        found[node.name] = {"total": total, "planned": 0, "foreign": foreign}
    for group in groups:
        if group.node in found:
            found[group.node]["planned"] += group.required_mib * group.replicas
    return found


def ready_of(facts: Facts, group: str) -> int:
    """How many pods of a group are ready."""
    return sum(told.pod.group == group and told.pod.ready for told in facts.pods)


def is_starting(groups: Iterable[Group], pods: Sequence[Told]) -> bool:
    """Whether no replica is ready, and one is on its way: what failed is not, nor what has no
    place."""
    placed = {group.name for group in groups if group.replicas and not is_pending(group.name)}
    if not placed or any(told.pod.ready for told in pods):
        return False
    states = {model.state for told in pods if told.progress for model in told.progress.models}
    return "Failed" not in states and not any(told.pod.fault for told in pods)


def _model(name: str, found: list[tuple[Told, ModelProgress]]) -> ModelFacts:
    states = {model.state for _, model in found}
    state: State = next((each for each in FURTHEST_FIRST if each in states), "Waiting")
    loaded = [model for _, model in found if model.size_bytes > 0]
    least = min(loaded, key=_share, default=None)
    shares = [share for _, model in found if (share := percent(model)) is not None]
    words = [model.message for _, model in found if model.state == "Failed" and model.message]
    return ModelFacts(
        name=name,
        state=state,
        ready=sum(told.pod.ready and model.state in ON_DISK for told, model in found),
        loaded=len(loaded),
        vram_mib=max((_mib(model.vram_bytes) for model in loaded), default=0),
        size_mib=_mib(least.size_bytes) if least else 0,
        on_gpu_percent=_share(least) if least else None,
        percent=max(shares, default=None) if state == "Pulling" else None,
        message=words[0] if words else "",
    )


def _share(model: ModelProgress) -> int:
    return min(100, model.vram_bytes * 100 // model.size_bytes)


def _mib(size_bytes: int) -> int:
    return -(-size_bytes // (1024 * 1024))
