"""The volume in which a group keeps its models."""

from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.ollama import Storage
from penstock_operator.ollama.workload import names
from penstock_operator.ollama.workload.installation import Document
from penstock_operator.ollama.workload.quantity import in_mebibytes


def volume_claim(
    provider: LLMProvider, storage: Storage, group: str, there: Document | None
) -> Document:
    """A claim that is there keeps its class and never shrinks: the API server would refuse it."""
    size = storage.size if there is None else _larger(storage.size, there)
    spec: Document = {
        "accessModes": ["ReadWriteOnce"],  # the group is on one node, and so are its pods
        "resources": {"requests": {"storage": size}},
    }
    if there is not None:
        class_name = there.get("spec", {}).get("storageClassName")
    else:
        class_name = storage.class_name
    if class_name is not None:
        spec["storageClassName"] = class_name
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": names.metadata(provider, names.claim(group), group),
        "spec": spec,
    }


def _larger(size: str, there: Document) -> str:
    requests = there.get("spec", {}).get("resources", {}).get("requests", {})
    before = str(requests.get("storage", ""))
    old, new = in_mebibytes(before), in_mebibytes(size)
    return before if old is not None and new is not None and old >= new else size
