"""Names of what runs a managed provider: labels, ports, files. One per thing, for every part."""

import hashlib
from typing import Final

PROVIDER_LABEL: Final = "penstock.dev/provider"
"""On everything that runs a managed LLMProvider: its name (its namespace is theirs)."""
GROUP_LABEL: Final = "penstock.dev/placement-group"
"""On a placement group's Deployment and pods; see `planner.types.Group.name`."""
GPU_INVENTORY_PREFIX: Final = "penstock-gpus-"
"""A ConfigMap `penstock-gpus-<node>` in the release's namespace, for each node agent."""
GPU_INVENTORY_LABEL: Final = "penstock.dev/gpu-inventory"
"""On those ConfigMaps, `true`."""
GPU_INVENTORY_KEY: Final = "gpus.json"
OLLAMA_PORT: Final = 11434
LOADER_PORT: Final = 4144
"""On the pod's address: `/progress`, `/readyz`, `/healthz`, and `/drain` for the pod's end."""
MODELS_SUFFIX: Final = "-models"
"""The ConfigMap `<group>-models` says what a group's loader is to load."""
MODELS_KEY: Final = "models.json"
OLLAMA_CONTAINER: Final = "ollama"
LOADER_CONTAINER: Final = "loader"
MAX_NAME_CHARACTERS: Final = 253
"""Of a ConfigMap, and of a node."""
_MARK_CHARACTERS: Final = 8


def gpu_inventory_name(node: str) -> str:
    """The ConfigMap with a node's GPUs. Of a name that is too long, its beginning and a mark."""
    name = f"{GPU_INVENTORY_PREFIX}{node}"
    if len(name) <= MAX_NAME_CHARACTERS:
        return name
    mark = hashlib.sha256(node.encode()).hexdigest()[:_MARK_CHARACTERS]
    return name[: MAX_NAME_CHARACTERS - _MARK_CHARACTERS] + mark  # no dash: "x.-1" is no name
