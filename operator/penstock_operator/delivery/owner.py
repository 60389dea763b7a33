"""Who made a pod: on whom Events about it are posted, since pods come and go. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Owner:
    """The controller: a ReplicaSet, a Job, a StatefulSet, ...; of a pod without any, the pod."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str


def controller_of(pod: Mapping[str, Any], namespace: str) -> Owner | None:
    """The controller that made the pod; `None` for a pod that somebody made by hand.

    `namespace` is the request's: a pod that is being made does not name its own yet.
    """
    metadata = pod.get("metadata")
    found = metadata.get("ownerReferences") if isinstance(metadata, Mapping) else None
    for each in found if isinstance(found, list) else ():
        if isinstance(each, Mapping) and each.get("controller") is True:
            texts = [str(each.get(key, "")) for key in ("apiVersion", "kind", "name", "uid")]
            api_version, kind, name, uid = texts
            return Owner(api_version, kind, namespace, name, uid) if all(texts) else None
    return None
