"""Events on custom resources, each once: its name is made of what it says."""

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from penstock_operator.api import GROUP, VERSION
from penstock_operator.cluster.client import EVENTS, FIELD_MANAGER, Cluster
from penstock_operator.cluster.errors import Conflict

MAX_MESSAGE_CHARACTERS: Final = 1024
"""The API server's bound."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened to an object."""

    kind: str
    namespace: str
    name: str
    uid: str
    type: Literal["Normal", "Warning"]
    reason: str
    message: str
    occasion: Sequence[str]
    """What tells this one from others like it: the same occasion is posted once, by whomever."""
    api_version: str = f"{GROUP}/{VERSION}"


async def post(cluster: Cluster, note: Note, now: datetime) -> None:
    """Posts it, unless it was posted before."""
    time = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    said = "\n".join([note.uid, note.type, note.reason, *note.occasion])
    mark = hashlib.sha256(said.encode()).hexdigest()[:16]
    document = {
        "metadata": {"name": f"{note.name[:200].rstrip('-.')}.{mark}", "namespace": note.namespace},
        "involvedObject": {
            "apiVersion": note.api_version,
            "kind": note.kind,
            "namespace": note.namespace,
            "name": note.name,
            "uid": note.uid,
        },
        "type": note.type,
        "reason": note.reason,
        "message": note.message[:MAX_MESSAGE_CHARACTERS],
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
        "source": {"component": FIELD_MANAGER},
        "reportingComponent": f"{GROUP}/operator",
        "reportingInstance": FIELD_MANAGER,
    }
    with contextlib.suppress(Conflict):
        await cluster.create(EVENTS, document)
