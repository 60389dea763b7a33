"""Objects for tests, and what tests do with them."""

import asyncio
import base64
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from penstock_operator.api import GROUP, VERSION
from penstock_operator.cluster import Cluster, ClusterError, Conflict, NotFound, connect
from penstock_operator.cluster.client import (
    CONFIG_MAPS,
    EVENTS,
    NAMESPACES,
    SECRETS,
    Document,
    Resource,
    custom,
)
from penstock_operator.compile.parse import KINDS

ROOT: Final = Path(__file__).resolve().parents[2]
DEFINITIONS: Final = Resource(
    "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions"
)
DEADLINE_SECONDS: Final = 30
T = TypeVar("T")

PROVIDERS, TIERS, POLICIES, BUDGETS = (custom(k.kind, k.plural) for k in KINDS.values())


async def eventually(check: Callable[[], Awaitable[T]], seconds: float = DEADLINE_SECONDS) -> T:
    """What `check` gives once it is truthy; its last assertion or answer when that never comes."""
    deadline = time.monotonic() + seconds
    while True:
        failure: AssertionError | ClusterError | None = None
        try:
            if found := await check():
                return found
        except (AssertionError, ClusterError) as error:
            failure = error
        if time.monotonic() > deadline:
            msg = f"not within {seconds} s: {check.__qualname__}: {failure or found!r}"
            raise AssertionError(msg) from failure
        await asyncio.sleep(0.1)


async def install_definitions(cluster: Cluster) -> None:
    """`crds/` as it is now, over what may be there."""
    for path in sorted((ROOT / "crds").glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            await put(cluster, DEFINITIONS, document)

    async def served() -> bool:
        return {k.plural for k in KINDS.values()} <= await cluster.served(GROUP, VERSION)

    await eventually(served)


def with_definitions(kubeconfig: Path) -> Path:
    """The same, once its server has our kinds."""

    async def install() -> None:
        async with connect(kubeconfig) as cluster:
            await install_definitions(cluster)

    asyncio.run(install())
    return kubeconfig


async def put(cluster: Cluster, resource: Resource, document: Document) -> Document:
    """Creates the object, or replaces the one of its name."""
    meta = document["metadata"]
    while True:
        try:
            there = await cluster.get(resource, meta["name"], meta.get("namespace"))
        except NotFound:
            there = None
        try:
            if there is None:
                return await cluster.create(resource, document)
            version = there["metadata"]["resourceVersion"]
            fresh = {**document, "metadata": {**meta, "resourceVersion": version}}
            return await cluster.replace(resource, fresh)
        except (Conflict, NotFound):
            continue


def unused_name() -> str:
    """A namespace's name that no other test has."""
    return f"penstock-test-{secrets.token_hex(4)}"


@asynccontextmanager
async def new_namespace(cluster: Cluster, name: str = "") -> AsyncIterator[str]:
    """A namespace of its own, deleted in the end (for good only where controllers run)."""
    name = name or unused_name()
    await cluster.create(NAMESPACES, {"metadata": {"name": name, "labels": {"test": name}}})
    try:
        yield name
    finally:
        for resource in (POLICIES, TIERS, PROVIDERS, BUDGETS):
            for each in await cluster.list(resource, name):
                await delete(cluster, resource, each["metadata"]["name"], name)
        await delete(cluster, NAMESPACES, name)


async def delete(
    cluster: Cluster, resource: Resource, name: str, namespace: str | None = None
) -> None:
    """Deletes what may be gone already."""
    try:
        await cluster.delete(resource, name, namespace)
    except (NotFound, Conflict):
        return


def secret(namespace: str, name: str = "keys", **values: str) -> Document:
    return {"metadata": {"name": name, "namespace": namespace}, "stringData": values}


def provider(namespace: str, name: str = "llm", **spec: Any) -> Document:
    """A provider with one model, `small`, and its key under `api-key` of the Secret `keys`."""
    return _object(
        "LLMProvider",
        namespace,
        name,
        {
            "type": "openai",
            "baseURL": "https://llm.example.com/v1",
            "credentials": {"secretRefs": [{"name": "keys", "key": "api-key"}]},
            "models": [
                {
                    "name": "small",
                    "capabilities": ["chat"],
                    "price": {"inputPerMillion": "1", "outputPerMillion": "2"},
                }
            ],
            **spec,
        },
    )


def tier(namespace: str, name: str = "fast", *, at: str = "llm") -> Document:
    return _object(
        "ModelTier",
        namespace,
        name,
        {"models": [{"provider": {"name": at}, "model": "small"}], "strategy": "Weighted"},
    )


def policy(namespace: str, name: str = "app", **spec: Any) -> Document:
    return _object(
        "RoutePolicy",
        namespace,
        name,
        {"selector": {"matchLabels": {"app": name}}, "defaultTier": {"name": "fast"}, **spec},
    )


def budget(namespace: str, name: str = "money", **spec: Any) -> Document:
    return _object("Budget", namespace, name, {"limits": {"daily": "5"}, **spec})


def condition(document: Document, type_: str) -> Document:
    """A condition of a custom resource; `AssertionError` while there is none."""
    found = {each["type"]: each for each in document.get("status", {}).get("conditions", ())}
    assert type_ in found, f"{type_} is not among {sorted(found)}"
    entry: Document = found[type_]
    return entry


async def put_all(cluster: Cluster, namespace: str) -> None:
    """Secret, provider, tier and policy that work together."""
    await put(cluster, SECRETS, secret(namespace, **{"api-key": "sk-first"}))
    await put(cluster, PROVIDERS, provider(namespace))
    await put(cluster, TIERS, tier(namespace))
    await put(cluster, POLICIES, policy(namespace))


def _object(kind: str, namespace: str, name: str, spec: Document) -> Document:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


async def config_map(cluster: Cluster, namespace: str) -> Document:
    return await cluster.get(CONFIG_MAPS, "penstock-config", namespace)


async def credentials_secret(cluster: Cluster, namespace: str) -> Document:
    return await cluster.get(SECRETS, "penstock-credentials", namespace)


def credentials_bytes(document: Document) -> bytes:
    return base64.b64decode(document["data"]["credentials.v2.json"])


async def conditions_of(
    cluster: Cluster, resource: Resource, namespace: str, name: str
) -> dict[str, tuple[str, str]]:
    """Type to (status, reason), once the newest generation was looked at."""
    document = await cluster.get(resource, name, namespace)
    status = document.get("status", {})
    assert status.get("observedGeneration") == document["metadata"]["generation"]
    return {each["type"]: (each["status"], each["reason"]) for each in status["conditions"]}


async def becomes(
    cluster: Cluster, resource: Resource, object_: tuple[str, str], type_: str, value: str
) -> Document:
    """The object, once its condition has that reason for its newest generation."""
    namespace, name = object_

    async def check() -> Document:
        conditions = await conditions_of(cluster, resource, namespace, name)
        assert type_ in conditions, conditions
        assert conditions[type_][1] == value, conditions
        return await cluster.get(resource, name, namespace)

    return await eventually(check)


async def events_on(cluster: Cluster, namespace: str, name: str) -> list[tuple[str, str]]:
    found = await cluster.list(EVENTS, namespace)
    return sorted((e["type"], e["reason"]) for e in found if e["involvedObject"]["name"] == name)
