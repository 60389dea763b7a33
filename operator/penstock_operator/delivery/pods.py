"""Pods as delivery sees them: which carry a sidecar, and what they were marked with. Pure."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from penstock_operator.api.names import CONTAINER, MARK_ANNOTATION, STATIC_ANNOTATION
from penstock_operator.compile.snapshot import PodLabels
from penstock_operator.delivery.owner import Owner, controller_of

FINISHED: Final = ("Succeeded", "Failed")
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SeenPod(PodLabels):
    """A pod that is to have a sidecar; thousands are kept, so of its body this alone."""

    uid: str = ""
    mark: str = ""
    """Value of `MARK_ANNOTATION`."""
    leaving: bool = False
    """Being deleted: what it runs matters no more."""
    missed_by: Owner | None = None
    """Set where the sidecar is missing."""


def seen_pod(body: Body) -> SeenPod:
    """Equal texts of different pods are kept once."""
    meta = body["metadata"]
    labels = meta.get("labels") or {}
    annotations = meta.get("annotations") or {}
    return SeenPod(
        sys.intern(meta["namespace"]),
        meta["name"],
        {sys.intern(key): sys.intern(value) for key, value in labels.items()},
        uid=meta.get("uid", ""),
        mark=sys.intern(annotations.get(MARK_ANNOTATION, "")),
        leaving=bool(meta.get("deletionTimestamp")),
        missed_by=None if has_sidecar(body) else owner_of(body),
    )


def has_sidecar(body: Body) -> bool:
    spec = body.get("spec") or {}
    both = (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
    return any(container["name"] == CONTAINER for container in both)


def is_finished(body: Body) -> bool:
    return (body.get("status") or {}).get("phase") in FINISHED


def is_static(body: Body) -> bool:
    return STATIC_ANNOTATION in (body["metadata"].get("annotations") or {})


def owner_of(body: Body) -> Owner:
    """The pod's controller; the pod itself where nobody controls it."""
    meta = body["metadata"]
    namespace = meta["namespace"]
    itself = Owner("v1", "Pod", namespace, meta["name"], meta.get("uid", ""))
    return controller_of(body, namespace) or itself
