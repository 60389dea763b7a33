"""The one thing that is ever changed on a pod: an annotation that has its volumes refreshed."""

from typing import Final

from penstock_operator.api.names import MARK_ANNOTATION
from penstock_operator.cluster.client import PODS, Cluster, Document
from penstock_operator.cluster.errors import Conflict, Refused
from penstock_operator.delivery.pods import SeenPod

ANOTHER: Final = "metadata.uid: Invalid value"
UNLABELLED: Final = "{label} notin (true,false)"


async def touch(cluster: Cluster, pod: SeenPod, mark: str) -> str:
    """Changes the annotation and nothing else; returns the pod's `resourceVersion` since then.

    A merge patch: what is gone is not made again.

    `NotFound` or `Conflict` when the pod is gone, or another one of its name is there.
    """
    document: Document = {
        "metadata": {
            "name": pod.name,
            "namespace": pod.namespace,
            "uid": pod.uid,
            "annotations": {MARK_ANNOTATION: mark},
        }
    }
    try:
        touched = await cluster.merge(PODS, document)
    except Refused as error:
        if ANOTHER in str(error):  # servers say 422 to what is a conflict
            raise Conflict(str(error)) from error
        raise
    return str(touched["metadata"].get("resourceVersion", ""))


async def without_label(cluster: Cluster, namespace: str, label: str) -> list[Document]:
    """Pods that run or will, and whose label says neither `true` nor `false`."""
    return await cluster.list(
        PODS,
        namespace,
        labels=UNLABELLED.format(label=label),
        fields="status.phase!=Succeeded,status.phase!=Failed",
    )
