"""Kubernetes nodes as the planner sees them: which GPUs a pod can be granted there, and how large.

Documents of the API server are read here; what a node's slots are worth, `planner.devices` says.
"""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, Final

from penstock_operator.ollama.gpus import NodeGpus
from penstock_operator.ollama.names import PROVIDER_LABEL
from penstock_operator.ollama.planner.devices import GPU, MIG, SHARED, Sighting, slots_of
from penstock_operator.ollama.planner.products import natural
from penstock_operator.ollama.planner.types import Node, Slot, Taint

Document = Mapping[str, Any]
Held = Mapping[str, Mapping[str, int]]
"""By node: extended resources that other people's pods hold there."""
ZONE_LABEL: Final = "topology.kubernetes.io/zone"
OLD_ZONE_LABEL: Final = "failure-domain.beta.kubernetes.io/zone"
OVER: Final = frozenset({"Succeeded", "Failed"})
"""Phases of pods that hold nothing any more."""
MAX_SLOTS: Final = 512
"""Of one node and resource: its kubelet is trusted, but not with our memory."""


def nodes_of(
    documents: Iterable[Document],
    readings: Mapping[str, NodeGpus],
    held: Held,
    ours: Iterable[str] = (),
) -> tuple[Node, ...]:
    """Those that have GPUs, sorted; also if others hold all, or nobody knows how large they are.

    `readings` by node, fresh ones alone; `ours`: nodes on which pods of ours hold GPUs.
    """
    with_ours = frozenset(ours)
    found = []
    for document in documents:
        if amounts := _amounts(document):
            name, labels = document["metadata"]["name"], document["metadata"].get("labels") or {}
            sighting = Sighting(labels, readings.get(name), name in with_ours)
            found.append(_node(document, slots_of(amounts, held.get(name, {}), sighting)))
    return tuple(sorted(found, key=lambda node: node.name))


def gpu_nodes(documents: Iterable[Document]) -> list[str]:
    """Names of those that say they have GPUs."""
    return sorted(d["metadata"]["name"] for d in documents if _amounts(d))


def held_by(pods: Iterable[Document]) -> dict[str, dict[str, int]]:
    """What other people's pods that run, or are about to, hold of GPUs, by node."""
    found: dict[str, dict[str, int]] = {}
    for pod in pods:
        spec, labels = pod.get("spec") or {}, pod["metadata"].get("labels") or {}
        over = (pod.get("status") or {}).get("phase") in OVER
        if over or PROVIDER_LABEL in labels or not (node := spec.get("nodeName")):
            continue
        for resource, amount in _requests(spec).items():
            of_node = found.setdefault(node, {})
            of_node[resource] = of_node.get(resource, 0) + amount
    return found


def hosts_of(pods: Iterable[Document]) -> frozenset[str]:
    """Nodes of pods that hold GPUs: those that end hold theirs until they have."""
    specs = (
        pod.get("spec") or {} for pod in pods if (pod.get("status") or {}).get("phase") not in OVER
    )
    return frozenset(spec["nodeName"] for spec in specs if spec.get("nodeName") and _requests(spec))


def is_ready(document: Document) -> bool:
    conditions = (document.get("status") or {}).get("conditions") or ()
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def _node(document: Document, slots: tuple[Slot, ...]) -> Node:
    spec, labels = document.get("spec") or {}, document["metadata"].get("labels") or {}
    return Node(
        name=document["metadata"]["name"],
        slots=slots,
        zone=labels.get(ZONE_LABEL) or labels.get(OLD_ZONE_LABEL, ""),
        labels=dict(labels),
        taints=tuple(map(_taint, spec.get("taints") or ())),
        usable=is_ready(document) and not spec.get("unschedulable", False),
    )


def _taint(document: Document) -> Taint:
    return Taint(document["key"], document.get("value") or "", document["effect"])


def _amounts(document: Document) -> dict[str, int]:
    """Allocatable GPUs by resource."""
    found = (document.get("status") or {}).get("allocatable") or {}
    amounts = {name: natural(text) for name, text in found.items() if _is_gpu(name)}
    return {name: min(amount, MAX_SLOTS) for name, amount in amounts.items() if amount}


def _requests(spec: Document) -> dict[str, int]:
    """What a pod is granted: of its containers the sum, and of an init container at least its
    own; init containers that stay count to the sum."""
    found: dict[str, int] = {}
    first = spec.get("initContainers") or ()
    staying = (each for each in first if each.get("restartPolicy") == "Always")
    for container in chain(spec.get("containers") or (), staying):
        for name, amount in _of_container(container).items():
            found[name] = found.get(name, 0) + amount
    for name, amount in chain.from_iterable(_of_container(each).items() for each in first):
        found[name] = max(found.get(name, 0), amount)
    return found


def _of_container(container: Document) -> dict[str, int]:
    resources = container.get("resources") or {}
    said = {**(resources.get("requests") or {}), **(resources.get("limits") or {})}
    return {name: natural(text) for name, text in said.items() if _is_gpu(name)}


def _is_gpu(resource: str) -> bool:
    return resource in {GPU, SHARED} or resource.startswith(MIG)
