"""What runs managed providers, and the hardware that it may run on: read, applied, deleted.

Read every few seconds, so out of the API server's memory, and as little as will do: our own by
label and namespace; nodes less often the more there are; other people's pods of GPU nodes alone.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from penstock_operator.cluster.client import (
    CLAIMS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    NETWORK_POLICIES,
    NODES,
    OLD_POD_DISRUPTION_BUDGETS,
    POD_DISRUPTION_BUDGETS,
    PODS,
    SERVICES,
    Cluster,
    Document,
    Resource,
)
from penstock_operator.cluster.errors import NotFound
from penstock_operator.ollama.gpus import NodeGpus, decode_gpus
from penstock_operator.ollama.names import (
    GPU_INVENTORY_KEY,
    GPU_INVENTORY_LABEL,
    PROVIDER_LABEL,
    gpu_inventory_name,
)

FIRST_WITH_BUDGETS_V1: Final = (1, 21)
FIRST_WITH_PROBE_GRACE: Final = (1, 25)
"""On by default since then. Older servers drop a probe's `terminationGracePeriodSeconds`."""
NODES_ONE_BY_ONE: Final = 32
"""Of so many nodes the pods are listed by node, which API servers have an index for."""
ALIVE: Final = "status.phase!=Succeeded,status.phase!=Failed"
RESOURCES: Final = {
    (each.api_version, each.kind): each
    for each in (
        *(CLAIMS, CONFIG_MAPS, DEPLOYMENTS, NETWORK_POLICIES, SERVICES),
        *(POD_DISRUPTION_BUDGETS, OLD_POD_DISRUPTION_BUDGETS),
    )
}
"""All that managed providers consist of."""


@dataclass(frozen=True, slots=True)
class Own:
    """What there is of managed providers in one namespace."""

    deployments: tuple[Document, ...] = ()
    pods: tuple[Document, ...] = ()
    claims: tuple[Document, ...] = ()


async def own_workloads(cluster: Cluster, namespace: str, *, claims: bool) -> Own:
    """`claims`: whether any provider there keeps its models."""

    async def listed(resource: Resource) -> tuple[Document, ...]:
        return tuple(await cluster.list_cached(resource, namespace, labels=PROVIDER_LABEL))

    async def nothing() -> tuple[Document, ...]:
        return ()

    volumes = listed(CLAIMS) if claims else nothing()
    return Own(*await asyncio.gather(listed(DEPLOYMENTS), listed(PODS), volumes))


async def all_nodes(cluster: Cluster) -> list[Document]:
    """Without what nobody needs of thousands."""
    return [_slim(node) async for page in cluster.pages(NODES) for node in page]


async def pods_on(cluster: Cluster, nodes: Sequence[str]) -> list[Document]:
    """Other people's pods on nodes with GPUs, without what nobody needs of thousands."""
    if len(nodes) <= NODES_ONE_BY_ONE:
        found: list[Document] = []
        for node in nodes:
            fields = f"spec.nodeName={node},{ALIVE}"
            found += map(_slim_pod, await cluster.list_cached(PODS, None, fields=fields))
        return found
    names, pages = frozenset(nodes), cluster.pages(PODS, fields=ALIVE)
    return [
        _slim_pod(pod)
        async for page in pages
        for pod in page
        if pod.get("spec", {}).get("nodeName") in names
    ]


async def gpu_readings(cluster: Cluster, namespace: str) -> dict[str, NodeGpus]:
    """What the node agents say, by node. Each speaks for its own node alone: that is in its
    ConfigMap's name, which is all that its rights let it write."""
    found = {}
    labels = f"{GPU_INVENTORY_LABEL}=true"
    for document in await cluster.list_cached(CONFIG_MAPS, namespace, labels=labels):
        reading = decode_gpus((document.get("data") or {}).get(GPU_INVENTORY_KEY, ""))
        name = document["metadata"]["name"]
        if reading is not None and name == gpu_inventory_name(reading.node):
            found[reading.node] = reading
    return found


def resource_of(document: Document) -> Resource:
    return RESOURCES[document["apiVersion"], document["kind"]]


async def find(cluster: Cluster, document: Document) -> Document | None:
    """What there is under its name; `None`: nothing."""
    meta = document["metadata"]
    try:
        return await cluster.get(resource_of(document), meta["name"], meta["namespace"])
    except NotFound:
        return None


async def remove(cluster: Cluster, resource: Resource, namespace: str, name: str) -> None:
    """What may be gone already."""
    try:
        await cluster.delete(resource, name, namespace)
    except NotFound:
        return


def _slim(node: Document) -> Document:
    meta, status, spec = node["metadata"], node.get("status") or {}, node.get("spec") or {}
    ready = [c for c in status.get("conditions") or () if c.get("type") == "Ready"]
    return {
        "metadata": {"name": meta["name"], "labels": meta.get("labels") or {}},
        "spec": {k: spec[k] for k in ("taints", "unschedulable") if k in spec},
        "status": {"allocatable": status.get("allocatable") or {}, "conditions": ready},
    }


def _slim_pod(pod: Document) -> Document:
    spec = pod.get("spec") or {}
    return {
        "metadata": {"labels": pod["metadata"].get("labels") or {}},
        "spec": {
            "nodeName": spec.get("nodeName"),
            "containers": [_slim_container(each) for each in spec.get("containers") or ()],
            "initContainers": [_slim_container(each) for each in spec.get("initContainers") or ()],
        },
    }


def _slim_container(container: Document) -> Document:
    return {"resources": container.get("resources") or {}}
