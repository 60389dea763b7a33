"""Nodes without machines: a heartbeat each, and pods that are shown as running.

The real scheduler places real pods onto them, and the real node controller finds them dead when
their heartbeat stops. Nothing answers at a pod's address.
"""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from penstock_operator.cluster import Cluster, ClusterError, Conflict, NotFound, connect
from penstock_operator.cluster.client import LEASES, NODES, PODS, Document

BEAT_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 0.2
START_SECONDS: Final = 30
LEASE_NAMESPACE: Final = "kube-node-lease"
NOWHERE: Final = "127.255.255.254"
"""An address at which nobody listens."""
GPU_TAINT: Final = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
POD_CONDITIONS: Final = ("Initialized", "Ready", "ContainersReady")


@dataclass(frozen=True, slots=True)
class Simulated:
    """A node. `capacity`: of extended resources."""

    name: str
    capacity: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: Sequence[Mapping[str, str]] = (GPU_TAINT,)

    def document(self) -> Document:
        labels = {"kubernetes.io/hostname": self.name, "kubernetes.io/os": "linux", **self.labels}
        return {
            "metadata": {"name": self.name, "labels": labels},
            "spec": {"taints": list(self.taints)},
        }

    def status(self) -> Document:
        amounts = {"cpu": "64", "memory": "512Gi", "pods": "110", **self.capacity}
        ready = {"type": "Ready", "status": "True", "reason": "Simulated"}
        times = {"lastHeartbeatTime": _now(), "lastTransitionTime": _now()}
        return {
            "capacity": amounts,
            "allocatable": amounts,
            "conditions": [ready | times],
        }


@dataclass
class Nodes:
    """Those that live, by name; who is taken out is dead from then on."""

    cluster: Cluster
    alive: dict[str, Simulated]

    known: set[str] = field(default_factory=set)
    """To the API server."""

    async def forever(self, step: Callable[[], Awaitable[None]], seconds: float) -> None:
        while True:
            with contextlib.suppress(ClusterError):
                await step()
            await asyncio.sleep(seconds)

    async def beat(self) -> None:
        for node in [*self.alive.values()]:
            if node.name not in self.known:
                with contextlib.suppress(Conflict):
                    await self.cluster.create(NODES, node.document())
            await self._status(NODES, None, node.name, node.status())
            spec = {"holderIdentity": node.name, "leaseDurationSeconds": 5}
            lease = {
                "metadata": {"name": node.name, "namespace": LEASE_NAMESPACE},
                "spec": {**spec, "renewTime": datetime.now(UTC).isoformat().replace("+00:00", "Z")},
            }
            await self.cluster.apply(LEASES, lease, manager="simulated-kubelet")
            self.known.add(node.name)

    async def run_pods(self) -> None:
        for pod in await self.cluster.list(PODS):
            if pod["spec"].get("nodeName") not in self.alive:
                continue
            meta = pod["metadata"]
            if meta.get("deletionTimestamp"):
                with contextlib.suppress(NotFound):
                    await self._end(meta)
            elif pod["status"].get("phase") == "Pending":
                await self._status(PODS, meta["namespace"], meta["name"], _running(pod))

    async def _end(self, meta: Document) -> None:
        path = PODS.path(meta["namespace"], meta["name"])
        await self.cluster._call("DELETE", path, {"gracePeriodSeconds": "0"})

    async def _status(self, resource: Any, namespace: str | None, name: str, status: Any) -> None:
        await self.cluster._call(
            "PATCH",
            resource.path(namespace, name, "status"),
            body={"status": status},
            content_type="application/strategic-merge-patch+json",
        )


@contextmanager
def simulated(kubeconfig: Path, nodes: Sequence[Simulated]) -> Iterator[dict[str, Simulated]]:
    """Nodes that live until the block ends, or they are taken out of what it gives."""
    alive = {node.name: node for node in nodes}
    stopped = threading.Event()
    begun = threading.Event()

    async def run() -> None:
        async with connect(kubeconfig) as cluster:
            found = Nodes(cluster, alive)
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(found.forever(found.beat, BEAT_SECONDS)),
                    group.create_task(found.forever(found.run_pods, LOOK_SECONDS)),
                ]
                while not stopped.is_set():  # it is another thread's
                    if all(name in found.known for name in alive):
                        begun.set()
                    await asyncio.sleep(LOOK_SECONDS)
                for task in tasks:
                    task.cancel()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    try:
        assert begun.wait(START_SECONDS), "no node was taken"
        yield alive
    finally:
        stopped.set()
        thread.join(START_SECONDS)


def _running(pod: Document) -> Document:
    conditions = [
        {"type": type_, "status": "True", "lastTransitionTime": _now()} for type_ in POD_CONDITIONS
    ]
    return {
        "phase": "Running",
        "startTime": _now(),
        "podIP": NOWHERE,
        "podIPs": [{"ip": NOWHERE}],
        "conditions": conditions,
        "containerStatuses": [_container(each) for each in pod["spec"]["containers"]],
    }


def _container(container: Document) -> Document:
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": True,
        "restartCount": 0,
        "started": True,
        "state": {"running": {"startedAt": _now()}},
    }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
