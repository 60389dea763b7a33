"""The operator against a real API server: resources in, configuration, conditions, Events out."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock_config.codec import decode_config, decode_credentials, digest
from penstock_operator.cluster import Cluster, NotFound, connect
from penstock_operator.cluster.client import (
    CONFIG_MAPS,
    EVENTS,
    NAMESPACES,
    PODS,
    SECRETS,
    Document,
    Resource,
    custom,
)
from penstock_operator.compile.parse import KINDS
from tests.cluster.control_plane import ControlPlane
from tests.cluster.objects import (
    BUDGETS,
    POLICIES,
    PROVIDERS,
    ROOT,
    TIERS,
    budget,
    condition,
    delete,
    eventually,
    new_namespace,
    policy,
    provider,
    put,
    put_all,
    secret,
    unused_name,
)
from tests.cluster.processes import Process, operator_environment, running

READABLE = [unused_name() for _ in range(40)]
"""Namespaces in which the operator may read Secrets: one for each test."""


@pytest.fixture(scope="module")
def operator(server: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A running operator."""
    own = unused_name()

    async def prepare() -> None:
        async with connect(server) as cluster:
            await put(cluster, NAMESPACES, {"metadata": {"name": own}})

    async def clear() -> None:
        async with connect(server) as cluster:
            await delete(cluster, NAMESPACES, own)

    asyncio.run(prepare())
    environment = operator_environment(server, own, provider_namespaces=",".join(READABLE))
    with running(tmp_path_factory.mktemp("operator") / "log", environment) as process:
        yield process
        assert process.stop() == 0, process.log
    assert process.events("process.failed") == []
    asyncio.run(clear())


@pytest.fixture
async def home(operator: Process, cluster: Cluster) -> AsyncIterator[str]:
    """A namespace whose Secrets the operator may read."""
    assert operator.popen.poll() is None, operator.log
    async with new_namespace(cluster, READABLE.pop()) as name:
        yield name


async def config_map(cluster: Cluster, namespace: str) -> Document:
    return await cluster.get(CONFIG_MAPS, "penstock-config", namespace)


async def credentials_secret(cluster: Cluster, namespace: str) -> Document:
    return await cluster.get(SECRETS, "penstock-credentials", namespace)


def credentials_bytes(document: Document) -> bytes:
    return base64.b64decode(document["data"]["credentials.v1.json"])


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
        assert conditions[type_][1] == value, conditions
        return await cluster.get(resource, name, namespace)

    return await eventually(check)


async def events_on(cluster: Cluster, namespace: str, name: str) -> list[tuple[str, str]]:
    found = await cluster.list(EVENTS, namespace)
    return sorted((e["type"], e["reason"]) for e in found if e["involvedObject"]["name"] == name)


async def test_configuration_and_credentials_appear_where_a_policy_is(
    cluster: Cluster, home: str
) -> None:
    await put_all(cluster, home)
    written = await eventually(lambda: config_map(cluster, home))
    data = written["data"]["config.v1.json"].encode()
    config = decode_config(data)
    assert (config.cluster, config.namespace) == ("test", home)
    assert [p.id for p in config.policies] == [f"{home}/app"]
    assert [p.id for p in config.providers] == [f"{home}/llm"]
    assert written["metadata"]["annotations"]["penstock.dev/digest"] == digest(data)
    assert written["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "penstock"
    assert "sk-first" not in json.dumps(written)

    found = decode_credentials(credentials_bytes(await credentials_secret(cluster, home)))
    assert [k.get_secret_value() for k in found.provider_keys[f"{home}/llm"]] == ["sk-first"]
    assert found.redis is not None
    assert found.redis.password is not None
    assert found.redis.password.get_secret_value() == "redis-hush"
    assert len(found.scope_key.get_secret_value()) == 64


async def test_every_kind_gets_its_conditions(cluster: Cluster, home: str) -> None:
    await put_all(cluster, home)
    await put(cluster, BUDGETS, budget(home))
    for resource, name in (
        (PROVIDERS, "llm"),
        (TIERS, "fast"),
        (POLICIES, "app"),
        (BUDGETS, "money"),
    ):
        await becomes(cluster, resource, (home, name), "Programmed", "Programmed")
        found = await conditions_of(cluster, resource, home, name)
        assert {type_: status for type_, (status, _) in found.items()} == {
            "Accepted": "True",
            "ResolvedRefs": "True",
            "Programmed": "True",
            "Enforced": "True",
        }


async def test_a_field_without_effect_is_said_so_and_the_object_works(
    cluster: Cluster, home: str
) -> None:
    await put_all(cluster, home)
    await put(cluster, POLICIES, policy(home, requestPriority="High"))
    found = await becomes(cluster, POLICIES, (home, "app"), "Enforced", "NotYetEnforced")
    assert condition(found, "Accepted")["status"] == "True"
    assert "spec.requestPriority" in condition(found, "Enforced")["message"]


async def test_a_broken_reference_is_a_condition_and_mending_it_clears_it(
    cluster: Cluster, home: str
) -> None:
    await put_all(cluster, home)
    await becomes(cluster, POLICIES, (home, "app"), "Programmed", "Programmed")
    await put(cluster, POLICIES, policy(home, defaultTier={"name": "gone"}))
    broken = await becomes(cluster, POLICIES, (home, "app"), "ResolvedRefs", "RefNotFound")
    assert f"{home}/gone" in condition(broken, "ResolvedRefs")["message"]

    async def denied() -> bool:
        config = decode_config((await config_map(cluster, home))["data"]["config.v1.json"].encode())
        default = config.policies[0].default
        return default is not None and default.denied is not None

    assert await eventually(denied), "the rest ships, the broken part is denied"
    await put(cluster, POLICIES, policy(home))
    await becomes(cluster, POLICIES, (home, "app"), "ResolvedRefs", "ResolvedRefs")
    assert await eventually(lambda: _both_events(cluster, home))
    assert await events_on(cluster, home, "app") == [
        ("Normal", "ResolvedRefs"),
        ("Warning", "RefNotFound"),
    ]


async def _both_events(cluster: Cluster, home: str) -> bool:
    return len(await events_on(cluster, home, "app")) == 2


async def test_a_rotated_secret_reaches_the_credentials(cluster: Cluster, home: str) -> None:
    await put_all(cluster, home)
    before = await eventually(lambda: credentials_secret(cluster, home))
    config_before = await eventually(lambda: config_map(cluster, home))
    await put(cluster, SECRETS, secret(home, **{"api-key": "sk-second"}))

    async def rotated() -> Document:
        found = await credentials_secret(cluster, home)
        keys = decode_credentials(credentials_bytes(found)).provider_keys[f"{home}/llm"]
        assert [key.get_secret_value() for key in keys] == ["sk-second"]
        return found

    after = await eventually(rotated)
    digests = [d["metadata"]["annotations"]["penstock.dev/digest"] for d in (before, after)]
    assert digests[0] != digests[1]
    scope_keys = [decode_credentials(credentials_bytes(d)).scope_key for d in (before, after)]
    assert scope_keys[0] == scope_keys[1], "made once, and kept"
    assert (await config_map(cluster, home))["metadata"]["resourceVersion"] == (
        config_before["metadata"]["resourceVersion"]
    )


async def test_a_missing_secret_a_missing_key_and_their_repair_are_told(
    cluster: Cluster, home: str
) -> None:
    await put(cluster, PROVIDERS, provider(home))
    await becomes(cluster, PROVIDERS, (home, "llm"), "ResolvedRefs", "SecretNotFound")
    await put(cluster, SECRETS, secret(home, other="sk-hidden"))
    found = await becomes(cluster, PROVIDERS, (home, "llm"), "ResolvedRefs", "SecretKeyMissing")
    assert "api-key" in condition(found, "ResolvedRefs")["message"]
    assert "sk-hidden" not in json.dumps(found)
    await put(cluster, SECRETS, secret(home, **{"api-key": "sk-first"}))
    await becomes(cluster, PROVIDERS, (home, "llm"), "ResolvedRefs", "ResolvedRefs")


@pytest.mark.usefixtures("operator")
async def test_a_secret_outside_the_provider_namespaces_is_never_read(cluster: Cluster) -> None:
    async with new_namespace(cluster) as elsewhere:
        await put_all(cluster, elsewhere)
        found = await becomes(
            cluster, PROVIDERS, (elsewhere, "llm"), "ResolvedRefs", "SecretAccessNotGranted"
        )
        assert elsewhere in condition(found, "ResolvedRefs")["message"]
        written = await eventually(lambda: credentials_secret(cluster, elsewhere))
        assert decode_credentials(credentials_bytes(written)).provider_keys == {}


async def test_without_a_policy_nothing_of_ours_stays(cluster: Cluster, home: str) -> None:
    await put_all(cluster, home)
    await eventually(lambda: config_map(cluster, home))
    await becomes(cluster, TIERS, (home, "fast"), "Programmed", "Programmed")
    await delete(cluster, POLICIES, "app", home)

    async def gone() -> bool:
        left = await cluster.list(CONFIG_MAPS, home, fields="metadata.name=penstock-config")
        left += await cluster.list(SECRETS, home, fields="metadata.name=penstock-credentials")
        return not left

    assert await eventually(gone)
    await becomes(cluster, TIERS, (home, "fast"), "Programmed", "NotReferenced")


async def test_what_is_deleted_or_changed_by_hand_is_written_again(
    cluster: Cluster, home: str
) -> None:
    await put_all(cluster, home)
    before = await eventually(lambda: config_map(cluster, home))
    await delete(cluster, CONFIG_MAPS, "penstock-config", home)
    again = await eventually(lambda: config_map(cluster, home))
    assert again["data"] == before["data"]
    spoiled = {**again, "data": {"config.v1.json": "{}"}}
    await cluster.replace(CONFIG_MAPS, spoiled)

    async def repaired() -> bool:
        return bool((await config_map(cluster, home))["data"] == before["data"])

    assert await eventually(repaired)


async def test_unchanged_objects_are_not_written(cluster: Cluster, home: str) -> None:
    """A change elsewhere compiles everything anew; what comes out the same is left alone."""
    await put_all(cluster, home)
    for resource, name in ((PROVIDERS, "llm"), (TIERS, "fast"), (POLICIES, "app")):
        await becomes(cluster, resource, (home, name), "Programmed", "Programmed")

    async def versions() -> list[str]:
        found = [await config_map(cluster, home), await credentials_secret(cluster, home)]
        found += [await cluster.get(PROVIDERS, "llm", home), await cluster.get(TIERS, "fast", home)]
        found += [await cluster.get(POLICIES, "app", home)]
        return [each["metadata"]["resourceVersion"] for each in found]

    before = await versions()
    async with new_namespace(cluster, READABLE.pop()) as other:
        await put_all(cluster, other)
        await becomes(cluster, POLICIES, (other, "app"), "Programmed", "Programmed")
        assert await versions() == before


async def test_objects_get_a_status_and_nothing_else(cluster: Cluster, home: str) -> None:
    """No finalizer and no annotation: of kopf nothing is seen, and deletion never waits for us."""
    await put_all(cluster, home)
    found = await becomes(cluster, POLICIES, (home, "app"), "Programmed", "Programmed")
    assert found["metadata"].keys().isdisjoint({"finalizers", "annotations", "labels"})
    assert found["spec"] == policy(home)["spec"]
    managers = {entry["manager"] for entry in found["metadata"]["managedFields"]}
    assert "penstock-operator" in managers


async def test_an_event_comes_once_however_often_is_reconciled(cluster: Cluster, home: str) -> None:
    await put(cluster, POLICIES, policy(home))
    await becomes(cluster, POLICIES, (home, "app"), "ResolvedRefs", "RefNotFound")
    for name in ("one", "two"):
        await put(cluster, BUDGETS, budget(home, name))
        await becomes(cluster, BUDGETS, (home, name), "Accepted", "Accepted")
    assert await events_on(cluster, home, "app") == [("Warning", "RefNotFound")]


async def test_an_object_that_slipped_through_validation_does_not_stop_the_rest(
    cluster: Cluster, home: str
) -> None:
    await put_all(cluster, home)
    before = await eventually(lambda: config_map(cluster, home))
    bad = budget(home, timeZone="Mars/Olympus")
    await put(cluster, BUDGETS, bad)
    found = await becomes(cluster, BUDGETS, (home, "money"), "Accepted", "InvalidSpec")
    assert "spec.timeZone" in condition(found, "Accepted")["message"]
    await put(cluster, POLICIES, policy(home, "second"))

    async def shipped() -> bool:
        config = decode_config((await config_map(cluster, home))["data"]["config.v1.json"].encode())
        return f"{home}/second" in {each.id for each in config.policies}

    assert await eventually(shipped)
    assert before["metadata"]["uid"] == (await config_map(cluster, home))["metadata"]["uid"]


async def test_pods_with_a_sidecar_are_counted(cluster: Cluster, home: str) -> None:
    await put_all(cluster, home)
    for number in range(3):
        labels = {"app": "app", "penstock.dev/inject": "true"}
        container = {"name": "c", "image": "none.example.com/none"}
        meta = {"name": f"p{number}", "namespace": home, "labels": labels}
        spec = {"containers": [container], "automountServiceAccountToken": False}
        await cluster.create(PODS, {"metadata": meta, "spec": spec})

    async def counted() -> bool:
        config = decode_config((await config_map(cluster, home))["data"]["config.v1.json"].encode())
        return config.policies[0].sidecars == 4

    assert await eventually(counted), "rounded up to a power of two"


async def test_a_namespace_goes_although_the_operator_runs(
    cluster: Cluster, home: str, plane: ControlPlane
) -> None:
    if not plane.controllers:
        pytest.skip("no controller manager: nobody finishes the deletion of a namespace")
    await put_all(cluster, home)
    await eventually(lambda: config_map(cluster, home))
    await cluster.delete(NAMESPACES, home)

    async def gone() -> bool:
        try:
            await cluster.get(NAMESPACES, home)
        except NotFound:
            return True
        return False

    assert await eventually(gone, 60)


async def test_secrets_are_in_no_log_line_event_or_status(
    cluster: Cluster, home: str, operator: Process
) -> None:
    await put_all(cluster, home)
    found = await becomes(cluster, PROVIDERS, (home, "llm"), "Programmed", "Programmed")
    seen = operator.log + json.dumps(found) + json.dumps(await cluster.list(EVENTS, home))
    written = decode_credentials(credentials_bytes(await credentials_secret(cluster, home)))
    for value in ("sk-first", "redis-hush", written.scope_key.get_secret_value()):
        assert value not in seen


def _documents(directory: str) -> list[dict[str, Any]]:
    paths = sorted((ROOT / directory).glob("*.yaml"))
    return [d for path in paths for d in yaml.safe_load_all(path.read_text()) if d]


@pytest.mark.usefixtures("operator")
async def test_the_examples_are_accepted(cluster: Cluster) -> None:
    """`platform` is no provider namespace here, so that its keys alone are missing."""
    resources = {kind: custom(kind, type_.plural) for kind, type_ in KINDS.items()}
    resources |= {"Namespace": NAMESPACES, "Secret": SECRETS}
    documents = _documents("examples")
    for document in documents:
        await put(cluster, resources[document["kind"]], document)
    ours = [document for document in documents if document["kind"] in KINDS]
    assert ours
    for document in ours:
        meta = document["metadata"]
        await becomes(
            cluster,
            resources[document["kind"]],
            (meta["namespace"], meta["name"]),
            "Accepted",
            "Accepted",
        )
    await eventually(lambda: config_map(cluster, "shop"))
    for document in ours:
        meta = document["metadata"]
        await delete(cluster, resources[document["kind"]], meta["name"], meta["namespace"])
