"""Pods that nobody runs, as the injector leaves them, and what tests look at in them."""

from typing import Any, Final

from penstock_operator.api.names import MARK_ANNOTATION
from penstock_operator.cluster import Cluster
from penstock_operator.cluster.client import PODS, Document
from penstock_operator.delivery.touch import mark_of
from penstock_operator.plan import Published
from tests.cluster.objects import (
    POLICIES,
    condition,
    config_map,
    credentials_secret,
    eventually,
)

DIGEST: Final = "penstock.dev/digest"
READY_SECONDS: Final = 60
"""A sidecar that dies is noticed after 20, a Redis that is away after 15."""


def pod(namespace: str, name: str, *, sidecar: str = "containers", **labels: str) -> Document:
    """`sidecar` says where it is: `containers`, `initContainers` (native), or nowhere."""
    containers: dict[str, list[Document]] = {"containers": [_container("app")]}
    if sidecar:
        containers.setdefault(sidecar, []).append(_container("penstock"))
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"app": "app", "penstock.dev/inject": "true", **labels},
            "annotations": {"somebody.example.com/else": "stays"},
        },
        "spec": {"automountServiceAccountToken": False, **containers},
    }


def _container(name: str) -> Document:
    return {"name": name, "image": f"registry.example.com/{name}:1"}


async def create(cluster: Cluster, *documents: Document) -> list[Document]:
    return [await cluster.create(PODS, document) for document in documents]


async def mark(cluster: Cluster, namespace: str, name: str) -> str | None:
    found = await cluster.get(PODS, name, namespace)
    value: str | None = found["metadata"].get("annotations", {}).get(MARK_ANNOTATION)
    return value


async def wanted_mark(cluster: Cluster, namespace: str) -> str:
    """Of what is in the namespace now."""
    config = (await config_map(cluster, namespace))["metadata"]["annotations"][DIGEST]
    secret = (await credentials_secret(cluster, namespace))["metadata"]["annotations"][DIGEST]
    found = mark_of(Published(config, secret))
    assert found
    return found


async def told(cluster: Cluster, namespace: str, *names: str) -> str:
    """The mark that all of them bear; `AssertionError` while one bears another than is due."""
    wanted = await wanted_mark(cluster, namespace)
    marks = {name: await mark(cluster, namespace, name) for name in names}
    assert marks == dict.fromkeys(names, wanted)
    return wanted


async def ready_is(cluster: Cluster, namespace: str, reason: str, **sidecars: int) -> Document:
    """The status of the policy `app`, once sidecars say that of its newest generation."""

    async def check() -> Document:
        document = await cluster.get(POLICIES, "app", namespace)
        found = condition(document, "Ready")
        assert found["observedGeneration"] == document["metadata"]["generation"]
        assert found["reason"] == reason, found
        status: Document = document["status"]
        assert status["sidecars"] == sidecars, status
        return status

    return await eventually(check, READY_SECONDS)


def without_ours(document: Document) -> dict[str, Any]:
    """All of a pod that only others may change."""
    meta = dict(document["metadata"])
    for bookkeeping in ("resourceVersion", "managedFields"):
        meta.pop(bookkeeping, None)
    annotations = {k: v for k, v in meta["annotations"].items() if k != MARK_ANNOTATION}
    return {**document, "metadata": {**meta, "annotations": annotations}}
