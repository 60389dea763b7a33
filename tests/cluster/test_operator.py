"""The operator against a real API server: resources in, configuration, conditions, Events out."""

import json
from typing import Any

import pytest
import yaml

from penstock_config.codec import decode_config, decode_credentials, digest
from penstock_operator.cluster import Cluster, NotFound
from penstock_operator.cluster.client import (
    CONFIG_MAPS,
    EVENTS,
    NAMESPACES,
    PODS,
    SECRETS,
    Document,
    custom,
)
from penstock_operator.compile.parse import KINDS
from tests.cluster.control_plane import ControlPlane
from tests.cluster.objects import (
    POLICIES,
    PROVIDERS,
    ROOT,
    TIERS,
    becomes,
    condition,
    config_map,
    credentials_bytes,
    credentials_secret,
    delete,
    eventually,
    new_namespace,
    put,
    put_all,
    secret,
)
from tests.cluster.processes import Process


@pytest.fixture
def home(watched: str) -> str:
    return watched


async def test_configuration_and_credentials_appear_where_a_policy_is(
    cluster: Cluster, home: str
) -> None:
    await put_all(cluster, home)
    written = await eventually(lambda: config_map(cluster, home))
    data = written["data"]["config.v2.json"].encode()
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
    spoiled = {**again, "data": {"config.v2.json": "{}"}}
    await cluster.replace(CONFIG_MAPS, spoiled)

    async def repaired() -> bool:
        return bool((await config_map(cluster, home))["data"] == before["data"])

    assert await eventually(repaired)


async def test_unchanged_objects_are_not_written(
    cluster: Cluster, home: str, readable: list[str]
) -> None:
    """A change elsewhere compiles everything anew; what comes out the same is left alone."""
    await put_all(cluster, home)
    for resource, name in ((PROVIDERS, "llm"), (TIERS, "fast"), (POLICIES, "app")):
        await becomes(cluster, resource, (home, name), "Programmed", "Programmed")
    await becomes(cluster, POLICIES, (home, "app"), "Ready", "NoSidecars")
    await becomes(cluster, PROVIDERS, (home, "llm"), "Healthy", "HealthUnknown")

    async def counted() -> bool:
        return "total" in (await cluster.get(TIERS, "fast", home))["status"]

    assert await eventually(counted)

    async def versions() -> list[str]:
        found = [await config_map(cluster, home), await credentials_secret(cluster, home)]
        found += [await cluster.get(PROVIDERS, "llm", home), await cluster.get(TIERS, "fast", home)]
        found += [await cluster.get(POLICIES, "app", home)]
        return [each["metadata"]["resourceVersion"] for each in found]

    before = await versions()
    async with new_namespace(cluster, readable.pop()) as other:
        await put_all(cluster, other)
        await becomes(cluster, POLICIES, (other, "app"), "Programmed", "Programmed")
        assert await versions() == before


async def test_pods_with_a_sidecar_are_counted(cluster: Cluster, home: str) -> None:
    await put_all(cluster, home)
    for number in range(3):
        labels = {"app": "app", "penstock.dev/inject": "true"}
        container = {"name": "c", "image": "none.example.com/none"}
        meta = {"name": f"p{number}", "namespace": home, "labels": labels}
        spec = {"containers": [container], "automountServiceAccountToken": False}
        await cluster.create(PODS, {"metadata": meta, "spec": spec})

    async def counted() -> bool:
        config = decode_config((await config_map(cluster, home))["data"]["config.v2.json"].encode())
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
    resources |= {"Namespace": NAMESPACES, "Secret": SECRETS, "ConfigMap": CONFIG_MAPS}
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
