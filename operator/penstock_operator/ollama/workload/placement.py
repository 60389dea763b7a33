"""Where a group's pods may run: on the planned node, and nowhere else."""

from collections.abc import Iterator

from penstock_operator.api.ollama import Ollama, Toleration
from penstock_operator.ollama.planner.types import Group
from penstock_operator.ollama.workload import names
from penstock_operator.ollama.workload.installation import Document, Found

HOSTNAME = "kubernetes.io/hostname"
GPU_TAINT = "nvidia.com/gpu"


def placement(provider: str, ollama: Ollama, group: Group, found: Found) -> Document:
    """Fields of a pod's spec."""
    fields: Document = {}
    if ollama.node_selector:
        fields["nodeSelector"] = dict(ollama.node_selector)
    if affinity := _affinity(provider, ollama, group, found):
        fields["affinity"] = affinity
    if tolerations := list(_tolerations(ollama, group)):
        fields["tolerations"] = tolerations
    if ollama.priority_class_name:
        fields["priorityClassName"] = ollama.priority_class_name
    return fields


def _affinity(provider: str, ollama: Ollama, group: Group, found: Found) -> Document | None:
    if group.node is not None:
        host = found.hostnames.get(group.node, group.node)
        match = {"key": HOSTNAME, "operator": "In", "values": [host]}
        terms = {"nodeSelectorTerms": [{"matchExpressions": [match]}]}
        return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    if ollama.storage is not None:  # one node has the volume: all go where the first one went
        own = {"matchLabels": dict(names.selector(provider, group.name))}
        term = {"labelSelector": own, "topologyKey": HOSTNAME}
        return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    return None


def _tolerations(ollama: Ollama, group: Group) -> Iterator[Document]:
    yield from map(_document, ollama.tolerations)
    gpus = Toleration(key=GPU_TAINT, operator="Exists")
    if group.resources and gpus not in ollama.tolerations:
        yield _document(gpus)


def _document(toleration: Toleration) -> Document:
    return {"operator": toleration.operator} | toleration.model_dump(
        by_alias=True, exclude_none=True, exclude={"operator"}
    )
