"""Deployments and pods that run managed providers, out of the API server's documents."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from penstock_operator.ollama.names import GROUP_LABEL, PROVIDER_LABEL
from penstock_operator.ollama.planner.types import Group, Sharing, Slot
from penstock_operator.ollama.progress import Progress

Document = Mapping[str, Any]
MAX_FAULT: Final = 300
MAX_WHY: Final = 1024
STARTING: Final = frozenset({"ContainerCreating", "PodInitializing"})
"""Reasons of waiting that are none for worry."""
PLACEMENT_ANNOTATION: Final = "penstock.dev/placement"
"""Of a Deployment, JSON: what the planner decided, so that a restart of ours moves nothing."""


class _Kept(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Slot(_Kept):
    resource: str
    gpu: int
    memory_mib: int
    product: str
    sharing: Sharing = "Exclusive"
    foreign_mib: int = 0


class _Placed(_Kept):
    """A group as the annotation has it. Readers skip what they do not know."""

    node: str | None = None
    models: tuple[str, ...] = ()
    loaded: tuple[str, ...] = ()
    resources: dict[str, int] = {}
    slots: tuple[_Slot, ...] = ()
    required_mib: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Pod:
    """A replica of ours, or what is to become one."""

    uid: str
    name: str
    provider: str
    """`<namespace>/<name>`."""
    group: str
    node: str | None
    address: str | None
    """The pod's IP, once it has one."""
    ready: bool
    leaving: bool
    """It was deleted, and has not ended yet."""
    unschedulable: str = ""
    """Why no node takes it, by the scheduler's words."""
    unschedulable_since: datetime | None = None
    fault: str = ""
    """Why it does not run though it has a node: `ErrImagePull: ...`."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment of ours."""

    group: Group
    """As it was planned; `replicas` as it has them."""
    document: Document
    refused: str = ""
    """Why its pods cannot be made, as by a quota."""


@dataclass(frozen=True, slots=True)
class Told:
    """A pod, and what its loader says; `None`: it does not answer."""

    pod: Pod
    progress: Progress | None = None


def workload_of(document: Document) -> Workload | None:
    """`None`: it is none of ours, or it is going. One of which nobody can read how it was planned
    has no models."""
    meta, provider = document["metadata"], provider_of(document)
    if provider is None or "deletionTimestamp" in meta:
        return None
    placed = _placed((meta.get("annotations") or {}).get(PLACEMENT_ANNOTATION))
    group = Group(
        name=meta["name"],
        provider=provider,
        node=placed.node,
        models=placed.models,
        loaded=placed.loaded,
        replicas=(document.get("spec") or {}).get("replicas", 1),
        resources=placed.resources,
        slots=tuple(Slot(**dict(each)) for each in placed.slots),
        required_mib=placed.required_mib,
        why=placed.why,
    )
    return Workload(group, document, _refused(document))


def placement_text(group: Group) -> str:
    """The annotation's value; equal groups give equal text. The number of replicas is the
    Deployment's own."""
    slots = tuple(_Slot.model_validate(asdict(slot)) for slot in group.slots)
    placed = _Placed(
        node=group.node,
        models=group.models,
        loaded=group.loaded,
        resources=dict(group.resources),
        slots=slots,
        required_mib=group.required_mib,
        why=group.why[:MAX_WHY],
    )
    return placed.model_dump_json()


def pods_of(documents: Iterable[Document]) -> tuple[Pod, ...]:
    """Those that are not over, sorted by name."""
    found = [pod for each in documents if (pod := _pod(each)) is not None]
    return tuple(sorted(found, key=lambda pod: (pod.provider, pod.name)))


def provider_of(document: Document) -> str | None:
    """`<namespace>/<name>` of whom it runs; `None`: nobody of ours."""
    meta = document["metadata"]
    name = (meta.get("labels") or {}).get(PROVIDER_LABEL)
    return f"{meta['namespace']}/{name}" if name else None


def group_of(document: Document) -> str:
    found: str = (document["metadata"].get("labels") or {}).get(GROUP_LABEL, "")
    return found


def _placed(text: object) -> _Placed:
    try:
        return _Placed.model_validate_json(text) if isinstance(text, str) else _Placed()
    except ValidationError:  # somebody else wrote it
        return _Placed()


def _pod(document: Document) -> Pod | None:
    meta, status = document["metadata"], document.get("status") or {}
    provider = provider_of(document)
    if provider is None or status.get("phase") in {"Succeeded", "Failed"}:
        return None
    conditions = {each.get("type"): each for each in status.get("conditions") or ()}
    scheduled = conditions.get("PodScheduled") or {}
    no_node = scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable"
    leaving = "deletionTimestamp" in meta
    return Pod(
        uid=meta["uid"],
        name=meta["name"],
        provider=provider,
        group=group_of(document),
        node=(document.get("spec") or {}).get("nodeName"),
        address=status.get("podIP") or None,
        ready=not leaving and (conditions.get("Ready") or {}).get("status") == "True",
        leaving=leaving,
        unschedulable=str(scheduled.get("message") or "no reason given")[:MAX_FAULT]
        if no_node
        else "",
        unschedulable_since=_time(scheduled.get("lastTransitionTime")) if no_node else None,
        fault=_fault(status),
    )


def _refused(document: Document) -> str:
    for each in (document.get("status") or {}).get("conditions") or ():
        if each.get("type") == "ReplicaFailure" and each.get("status") == "True":
            return str(each.get("message") or each.get("reason") or "")[:MAX_FAULT]
    return ""


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _fault(status: Document) -> str:
    """Of the first container that cannot start, or ended and is not started again yet."""
    both = (status.get("initContainerStatuses"), status.get("containerStatuses"))
    for each in (one for listed in both for one in listed or ()):
        waiting = (each.get("state") or {}).get("waiting") or {}
        reason = waiting.get("reason", "")
        if not reason or reason in STARTING:
            continue
        ended = (each.get("lastState") or {}).get("terminated") or {}
        words = ended.get("message") or waiting.get("message") or ""
        return f"container {each.get('name')}: {reason}: {words}".rstrip(": ")[:MAX_FAULT]
    return ""
