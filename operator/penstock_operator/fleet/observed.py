"""Deployments and pods that run managed providers, out of the API server's documents."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from penstock_operator.ollama.names import GROUP_LABEL, PROVIDER_LABEL
from penstock_operator.ollama.progress import Progress

Document = Mapping[str, Any]
MAX_FAULT: Final = 300
STARTING: Final = frozenset({"ContainerCreating", "PodInitializing"})
"""Reasons of waiting that are none for worry."""


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
    fault: str = ""
    """Why it does not run though it has a node: `ErrImagePull: ...`."""


@dataclass(frozen=True, slots=True)
class Told:
    """A pod, and what its loader says; `None`: it does not answer."""

    pod: Pod
    progress: Progress | None = None


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


def _pod(document: Document) -> Pod | None:
    meta, status = document["metadata"], document.get("status") or {}
    provider = provider_of(document)
    if provider is None or status.get("phase") in {"Succeeded", "Failed"}:
        return None
    conditions = {each.get("type"): each for each in status.get("conditions") or ()}
    scheduled = conditions.get("PodScheduled") or {}
    unbound = scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable"
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
        unschedulable=str(scheduled.get("message", ""))[:MAX_FAULT] if unbound else "",
        fault=_fault(status),
    )


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
