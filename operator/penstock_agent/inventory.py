"""The ConfigMap that tells a reading: pure."""

from dataclasses import dataclass
from typing import Any

from penstock_operator.ollama.gpus import NodeGpus, encode_gpus
from penstock_operator.ollama.names import (
    GPU_INVENTORY_KEY,
    GPU_INVENTORY_LABEL,
    gpu_inventory_name,
)


@dataclass(frozen=True, slots=True)
class Owner:
    """The agent's pod: when it is gone for good, its node's ConfigMap goes too."""

    name: str
    uid: str


def config_map(found: NodeGpus, namespace: str, owner: Owner | None = None) -> dict[str, Any]:
    """As it is applied: everything that the agent owns of it."""
    metadata: dict[str, Any] = {
        "name": gpu_inventory_name(found.node),
        "namespace": namespace,
        "labels": {
            GPU_INVENTORY_LABEL: "true",
            "app.kubernetes.io/managed-by": "penstock",
            "app.kubernetes.io/name": "penstock",
        },
    }
    if owner is not None:
        reference = {"apiVersion": "v1", "kind": "Pod", "name": owner.name, "uid": owner.uid}
        metadata["ownerReferences"] = [reference]
    return {"metadata": metadata, "data": {GPU_INVENTORY_KEY: encode_gpus(found)}}
