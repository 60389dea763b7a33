"""Many namespaces with policies and pods, all of them fed by two providers of one namespace."""

import asyncio
from collections.abc import Awaitable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from penstock_operator.cluster import Cluster
from penstock_operator.cluster.client import NAMESPACES, PODS, SECRETS, Document
from tests.cluster.objects import POLICIES, PROVIDERS, TIERS, policy, provider, put, secret, tier

PLATFORM: Final = "scale-platform"
CHURNED: Final = "scale-churned"
SHARED, OTHER = "shared", "other"
EVERY: Final = 10
"""Each tenth namespace is fed by the other provider."""
AT_ONCE: Final = 24
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
    await _all(cluster.create(POLICIES, document) for document in _policies(size))


async def edit_provider(cluster: Cluster, name: str, revision: int) -> None:
    """What all of its users' configurations hold changes with the revision."""
    url = f"https://{name}-{revision}.example.com/v1"
    await put(cluster, PROVIDERS, provider(PLATFORM, name, baseURL=url, **EVERYBODY))


async def create_pods(cluster: Cluster, size: Size) -> None:
    """Nothing runs them: they stay Pending."""
    await _all(cluster.create(PODS, document) for document in _pods(size))


async def churn_pods(cluster: Cluster, size: Size) -> None:
    """A namespace of its own has a few of them at a time."""
    await put(cluster, NAMESPACES, {"metadata": {"name": CHURNED}})
    await _all(_come_and_go(cluster, number) for number in range(size.churned))


async def _come_and_go(cluster: Cluster, number: int) -> None:
    await cluster.create(PODS, _pod(CHURNED, f"pod-{number}", "app-0"))
    await cluster.delete(PODS, f"pod-{number}", CHURNED)


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


async def _all(work: Iterable[Awaitable[object]]) -> None:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(each: Awaitable[object]) -> None:
        async with slots:
            await each

    async with asyncio.TaskGroup() as group:
        for each in work:
            group.create_task(one(each))
