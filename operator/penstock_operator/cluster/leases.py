"""The Lease that says which replica is active (coordination.k8s.io/v1)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from penstock_operator.cluster.client import LEASES, Cluster, Document
from penstock_operator.cluster.errors import NotFound

MICRO_TIME: Final = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """`version` changes with every write; whoever writes names the one that he read."""

    holder: str = ""
    version: str = ""
    """Empty: there is none yet."""
    acquired: str = ""
    transitions: int = 0


class Lease:
    """One Lease, read and written with the server's optimistic lock."""

    def __init__(self, cluster: Cluster, namespace: str, name: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._name = name

    async def read(self) -> LeaseRecord:
        try:
            return _record(await self._cluster.get(LEASES, self._name, self._namespace))
        except NotFound:
            return LeaseRecord()

    async def write(
        self, former: LeaseRecord, holder: str, now: datetime, seconds: int
    ) -> LeaseRecord:
        """`Conflict` when it is no longer what `former` says. An empty holder gives it back."""
        taken = bool(holder) and holder != former.holder
        spec: Document = {
            "holderIdentity": holder,
            "leaseDurationSeconds": seconds,
            "renewTime": now.strftime(MICRO_TIME),
            "acquireTime": now.strftime(MICRO_TIME) if taken else former.acquired or None,
            "leaseTransitions": former.transitions + (1 if taken and former.version else 0),
        }
        meta: Document = {"name": self._name, "namespace": self._namespace}
        if not former.version:
            return _record(await self._cluster.create(LEASES, {"metadata": meta, "spec": spec}))
        meta["resourceVersion"] = former.version
        return _record(await self._cluster.replace(LEASES, {"metadata": meta, "spec": spec}))


def _record(document: Document) -> LeaseRecord:
    spec = document.get("spec") or {}
    return LeaseRecord(
        holder=spec.get("holderIdentity") or "",
        version=document["metadata"]["resourceVersion"],
        acquired=spec.get("acquireTime") or "",
        transitions=spec.get("leaseTransitions") or 0,
    )
