"""GPUs that a node does not have: the cluster grants them, and no container sees one.

A kubelet keeps resources that were written into its node's status (Kubernetes' documentation:
"Advertise Extended Resources for a Node"); the labels are those of NVIDIA's GPU Feature Discovery.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from tests.e2e.kubectl import Kubectl, eventually

RESOURCE: Final = "nvidia.com/gpu"
COUNT: Final = 2
LABELS: Final = {
    "nvidia.com/gpu.present": "true",
    "nvidia.com/gpu.product": "NVIDIA-L4",
    "nvidia.com/gpu.memory": "23034",
    "nvidia.com/gpu.count": str(COUNT),
}


@contextmanager
def granted(kubectl: Kubectl) -> Iterator[str]:
    """Two on some node for a while; its name."""
    node = kubectl.list("nodes", "")[0]["metadata"]["name"]
    _label(kubectl, node, LABELS)
    _advertise(kubectl, node, str(COUNT))
    try:
        eventually(lambda: _allocatable(kubectl, node) == str(COUNT))
        yield node
    finally:
        _advertise(kubectl, node, None)
        _label(kubectl, node, dict.fromkeys(LABELS))


def _advertise(kubectl: Kubectl, node: str, amount: str | None) -> None:
    def write() -> bool:
        """The kubelet writes it too: whoever comes second tries again."""
        document: dict[str, Any] = json.loads(json.dumps(kubectl.get("node", node)))
        for field in ("capacity", "allocatable"):
            document["status"][field].pop(RESOURCE, None)
            if amount is not None:
                document["status"][field][RESOURCE] = amount
        path = f"/api/v1/nodes/{node}/status"
        kubectl.run("replace", "--raw", path, "-f", "-", stdin=json.dumps(document))
        return True

    eventually(write)


def _allocatable(kubectl: Kubectl, node: str) -> str | None:
    found: str | None = kubectl.get("node", node)["status"]["allocatable"].get(RESOURCE)
    return found


def _label(kubectl: Kubectl, node: str, labels: Mapping[str, str | None]) -> None:
    said = [f"{name}-" if value is None else f"{name}={value}" for name, value in labels.items()]
    kubectl.run("label", "node", node, "--overwrite", *said)
