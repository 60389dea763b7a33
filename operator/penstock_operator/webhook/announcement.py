"""What is told of a pod, and to whose readers: Events on its owner. Pure.

A pod that is being admitted has no name yet, and one that is refused never gets any; its owner is
what people look at with `kubectl describe`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Owner:
    """The object that made a pod: a ReplicaSet, a Job, a StatefulSet, ..."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """One Event to be. The message holds no secret: whoever reads Events reads it."""

    owner: Owner
    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def owner_of(pod: Mapping[str, Any], namespace: str) -> Owner | None:
    """The controller that made the pod; `None` for a pod that somebody made by hand.

    `namespace` is the request's: a pod made by a controller does not name its own yet.
    """
    metadata = pod.get("metadata")
    found = metadata.get("ownerReferences") if isinstance(metadata, Mapping) else None
    for each in found if isinstance(found, list) else ():
        if isinstance(each, Mapping) and each.get("controller") is True:
            texts = [str(each.get(key, "")) for key in ("apiVersion", "kind", "name", "uid")]
            api_version, kind, name, uid = texts
            return Owner(api_version, kind, namespace, name, uid) if all(texts) else None
    return None
