"""Many namespaces with policies and pods, all of them fed by two providers of one namespace."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from penstock_operator.cluster import (
    Cluster,
    ClusterError,
    ClusterUnreachable,
    Conflict,
    NotFound,
)
from penstock_operator.cluster.client import NAMESPACES, PODS, SECRETS, Document, Resource
from tests.cluster.objects import POLICIES, PROVIDERS, TIERS, policy, provider, put, secret, tier

PLATFORM: Final = "scale-platform"
CHURNED: Final = "scale-churned"
SHARED, OTHER = "shared", "other"
EVERY: Final = 10
"""Each tenth namespace is fed by the other provider."""
AT_ONCE: Final = 24
Call = Callable[[], Awaitable[object]]
EVERYBODY: Final = {"allowedNamespaces": {"from": "All"}}


@dataclass(frozen=True, slots=True)
class Size:
    """`policies` and `pods` are spread evenly over the namespaces."""

    namespaces: int = 200
    policies: int = 1000
    pods: int = 5000
    churned: int = 10_000
    """Pods that come and go again."""

    @property
    def names(self) -> list[str]:
        return [f"scale-{number:03}" for number in range(self.namespaces)]

    @property
    def fed_by_shared(self) -> frozenset[str]:
        return frozenset(self.names) - frozenset(self.names[::EVERY])


async def create_policies(cluster: Cluster, size: Size) -> None:
    """Everything but pods."""
    for name in (PLATFORM, *size.names):
        await cluster.create(NAMESPACES, {"metadata": {"name": name}})
    await put(cluster, SECRETS, secret(PLATFORM, **{"api-key": "sk-scale"}))
    for name in (SHARED, OTHER):
        await edit_provider(cluster, name, 0)
        found = tier(PLATFORM, name, at=name)
        await put(cluster, TIERS, {**found, "spec": {**found["spec"], **EVERYBODY}})
    await _all(partial(_create, cluster, POLICIES, document) for document in _policies(size))


async def edit_provider(cluster: Cluster, name: str, revision: int) -> None:
    """What all of its users' configurations hold changes with the revision."""
    url = f"https://{name}-{revision}.example.com/v1"
    await put(cluster, PROVIDERS, provider(PLATFORM, name, baseURL=url, **EVERYBODY))


async def create_pods(cluster: Cluster, size: Size) -> None:
    """Nothing runs them: they stay Pending."""
    await _all(partial(_create, cluster, PODS, document) for document in _pods(size))


async def churn_pods(cluster: Cluster, size: Size) -> None:
    """A namespace of its own has a few of them at a time."""
    await put(cluster, NAMESPACES, {"metadata": {"name": CHURNED}})
    await _all(partial(_come_and_go, cluster, number) for number in range(size.churned))


async def _come_and_go(cluster: Cluster, number: int) -> None:
    name = f"pod-{number}"
    await _create(cluster, PODS, _pod(CHURNED, name, "app-0"))
    await _insistently(partial(cluster.delete, PODS, name, CHURNED), NotFound)


def _policies(size: Size) -> Iterator[Document]:
    for number in range(size.policies):
        namespace = size.names[number % size.namespaces]
        name = SHARED if namespace in size.fed_by_shared else OTHER
        yield policy(
            namespace,
            f"app-{number // size.namespaces}",
            defaultTier={"name": name, "namespace": PLATFORM},
        )


def _pods(size: Size) -> Iterator[Document]:
    kinds = max(1, size.policies // size.namespaces)
    for number in range(size.pods):
        nth = number // size.namespaces
        namespace = size.names[number % size.namespaces]
        yield _pod(namespace, f"pod-{nth}", f"app-{nth % kinds}")


def _pod(namespace: str, name: str, app: str) -> Document:
    labels = {"app": app, "penstock.dev/inject": "true"}
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [
                {"name": "app", "image": "app.example.com/app:1"},
                {"name": "penstock", "image": "app.example.com/penstock:1"},
            ],
        },
    }


async def _create(cluster: Cluster, resource: Resource, document: Document) -> None:
    await _insistently(partial(cluster.create, resource, document), Conflict)


async def _insistently(call: Call, done: type[ClusterError]) -> None:
    """Again when no answer came in time, which may have been done all the same."""
    tried = False
    while True:
        try:
            await call()
        except ClusterUnreachable:
            tried = True
        except done:
            if not tried:
                raise
            return
        else:
            return


async def _all(calls: Iterable[Call]) -> None:
    """A few at once."""
    waiting = iter(calls)

    async def work() -> None:
        for call in waiting:
            await call()

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
