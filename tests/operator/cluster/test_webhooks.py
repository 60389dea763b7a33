"""The injector's Secret and its webhook configurations, read and written."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

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
from tests.operator.cluster.api_server import api_server, status

DATA = {"ca.crt": b"certificate", "ca.key": b"hush"}


class Server:
    """Keeps objects by path, each with a version as the API server has it."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            found = self.objects.get(request.path)
            return web.json_response(found) if found else status(404, "none")
        sent = await request.json()
        path = request.path
        if request.method == "POST":
            path += f"/{sent['metadata']['name']}"
        there = self.objects.get(path, {"metadata": {}})
        if there["metadata"].get("resourceVersion") != sent["metadata"].get("resourceVersion"):
            return status(409, "too late")
        version = int(there["metadata"].get("resourceVersion", "0")) + 1
        self.objects[path] = {
            **sent,
            "metadata": {**sent["metadata"], "resourceVersion": str(version)},
        }
        return web.json_response(self.objects[path])


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def cluster(server: Server, tmp_path: Path) -> AsyncIterator[Cluster]:
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


async def test_a_secret_of_another_type_keeps_its_type(server: Server, cluster: Cluster) -> None:
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
    server: Server, cluster: Cluster
) -> None:
    assert await configurations(cluster, "penstock") == ()
    document = {"metadata": {"name": "penstock", "resourceVersion": "1"}, "webhooks": []}
    server.objects[MUTATING_WEBHOOKS.path(None, "penstock")] = document
    (found,) = await configurations(cluster, "penstock")
    assert found.resource == MUTATING_WEBHOOKS


async def test_a_bundle_is_written_into_each_webhook_and_nothing_else_is_changed(
    server: Server, cluster: Cluster
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
