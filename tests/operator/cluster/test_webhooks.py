"""The injector's Secret and its webhook configurations, read and written."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from penstock_operator.cluster import Cluster, Conflict, connect
from penstock_operator.cluster.client import MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS
from penstock_operator.cluster.webhooks import (
    Configuration,
    StoredCa,
    carry,
    configurations,
    store_ca,
    stored_ca,
)
from tests.operator.cluster.api_server import api_server
from tests.operator.cluster.object_store import ObjectStore

DATA = {"ca.crt": b"certificate", "ca.key": b"hush"}


@pytest.fixture
def server() -> ObjectStore:
    return ObjectStore()


@pytest.fixture
async def cluster(server: ObjectStore, tmp_path: Path) -> AsyncIterator[Cluster]:
    async with api_server(server.answer, tmp_path) as kubeconfig, connect(kubeconfig) as found:
        yield found


async def test_what_is_stored_is_read_back(cluster: Cluster) -> None:
    assert await stored_ca(cluster, "a") is None
    await store_ca(cluster, "a", DATA, None)
    found = await stored_ca(cluster, "a")
    assert found is not None
    assert found.data == DATA
    assert "hush" not in repr(found)


@pytest.mark.parametrize("first", [True, False], ids=["to-create", "to-replace"])
async def test_of_two_replicas_that_store_the_slower_one_is_told(
    cluster: Cluster, first: bool
) -> None:
    if not first:
        await store_ca(cluster, "a", DATA, None)
    seen = await stored_ca(cluster, "a")
    await store_ca(cluster, "a", DATA | {"next.crt": b"theirs"}, seen)
    with pytest.raises(Conflict):
        await store_ca(cluster, "a", DATA, seen)
    found = await stored_ca(cluster, "a")
    assert found is not None
    assert found.data["next.crt"] == b"theirs"


async def test_a_secret_of_another_type_keeps_its_type(
    server: ObjectStore, cluster: Cluster
) -> None:
    path = "/api/v1/namespaces/a/secrets/penstock-webhook-ca"
    there = {"metadata": {"resourceVersion": "7"}, "type": "example.com/kept"}
    server.objects[path] = there
    await store_ca(cluster, "a", DATA, StoredCa(there))
    assert server.objects[path]["type"] == "example.com/kept"
    assert server.objects[path]["data"]


@pytest.mark.parametrize("data", [None, {}, {"ca.crt": "%"}, {"ca.crt": 1}])
def test_what_is_not_base64_is_left_out(data: object) -> None:
    assert StoredCa({"data": data}).data == {}


async def test_configurations_that_are_not_there_are_left_out(
    server: ObjectStore, cluster: Cluster
) -> None:
    assert await configurations(cluster, "penstock") == ()
    document = {"metadata": {"name": "penstock", "resourceVersion": "1"}, "webhooks": []}
    server.objects[MUTATING_WEBHOOKS.path(None, "penstock")] = document
    (found,) = await configurations(cluster, "penstock")
    assert found.resource == MUTATING_WEBHOOKS


async def test_a_bundle_is_written_into_each_webhook_and_nothing_else_is_changed(
    server: ObjectStore, cluster: Cluster
) -> None:
    service = {"service": {"name": "penstock-injector"}}
    entries = [
        {"name": "a", "clientConfig": {**service, "caBundle": "b2xk"}},
        {"name": "b", "clientConfig": service, "timeoutSeconds": 5},
    ]
    path = VALIDATING_WEBHOOKS.path(None, "penstock")
    metadata = {"name": "penstock", "resourceVersion": "3"}
    server.objects[path] = {"metadata": metadata, "webhooks": entries}
    (found,) = await configurations(cluster, "penstock")
    assert found.bundles == (b"old", b"")
    await carry(cluster, found, b"new")
    text = base64.b64encode(b"new").decode()
    assert server.objects[path]["webhooks"] == [
        {"name": "a", "clientConfig": {**service, "caBundle": text}},
        {"name": "b", "clientConfig": {**service, "caBundle": text}, "timeoutSeconds": 5},
    ]
    with pytest.raises(Conflict):
        await carry(cluster, found, b"older")


@pytest.mark.parametrize("webhooks", [None, [], [{}], [{"clientConfig": {"caBundle": "%"}}]])
def test_a_configuration_without_bundles_trusts_nobody(webhooks: object) -> None:
    found = Configuration(VALIDATING_WEBHOOKS, {"webhooks": webhooks})
    assert set(found.bundles) <= {b""}
