"""The volume in which a group keeps its models."""

from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.ollama import Storage
from penstock_operator.ollama.workload import names
from penstock_operator.ollama.workload.installation import Document
from penstock_operator.ollama.workload.quantity import in_mebibytes, mebibytes


def volume_claim(
    provider: LLMProvider, storage: Storage, group: str, there: Document | None
) -> Document:
    """A claim that is there keeps its class and never shrinks: the API server would refuse it. One
    that is going counts for nothing: the next one of its name is new."""
    if there is not None and "deletionTimestamp" in there.get("metadata", {}):
        there = None
    spec: Document = {
        "accessModes": ["ReadWriteOnce"],  # the group is on one node, and so are its pods
        "resources": {"requests": {"storage": _size(storage, there)}},
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


def _size(storage: Storage, there: Document | None) -> str:
    wanted = in_mebibytes(storage.size) or 0
    if there is None:
        return mebibytes(wanted)
    requests = there.get("spec", {}).get("resources", {}).get("requests", {})
    text = str(requests.get("storage", ""))
    before = in_mebibytes(text)
    return text if before is not None and before >= wanted else mebibytes(wanted)
