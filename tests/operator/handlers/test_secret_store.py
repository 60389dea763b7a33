"""Secrets are read by name, when they changed, and nowhere else."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from penstock_operator.cluster import connect
from penstock_operator.compile.snapshot import SecretData
from penstock_operator.handlers.secret_store import SecretStore
from tests.operator.cluster.api_server import api_server, status


class Server:
    """One namespace, `open`, with one Secret; `closed` may not be read."""

    def __init__(self) -> None:
        self.version = "1"
        self.reads: list[str] = []
        self.changed = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if "/closed/" in request.path:
            return status(403, "no")
        meta = {"name": "keys", "resourceVersion": self.version}
        if request.path.endswith("/keys"):
            self.reads.append(request.path)
            data = {"api-key": base64.b64encode(b"v" + self.version.encode()).decode()}
            return web.json_response({"metadata": meta, "data": data | {"broken": "%"}})
        if "watch" not in request.query:
            items = [{"metadata": meta}]
            return web.json_response({"metadata": {"resourceVersion": "1"}, "items": items})
        response = web.StreamResponse()
        await response.prepare(request)
        await self.changed.wait()
        self.changed.clear()
        event = {"type": "MODIFIED", "object": {"metadata": {**meta, "resourceVersion": "2"}}}
        self.version = "2"
        await response.write(web.json_response(event).body + b"\n")  # type: ignore[operator]
        return response


@asynccontextmanager
async def watching(
    server: Server, directory: Path
) -> AsyncIterator[tuple[SecretStore, asyncio.Event]]:
    noticed = asyncio.Event()
    async with (
        api_server(server.answer, directory) as kubeconfig,
        connect(kubeconfig) as cluster,
        asyncio.TaskGroup() as group,
    ):
        store = SecretStore(cluster, ("open", "closed"), noticed.set)
        task = group.create_task(store.watch())
        try:
            yield store, noticed
        finally:
            task.cancel()


async def test_a_secret_is_read_once_and_again_when_it_changed(tmp_path: Path) -> None:
    server = Server()
    async with watching(server, tmp_path) as (store, noticed):
        for _ in range(2):
            found = await store.read([("open", "keys")])
            assert found == {("open", "keys"): SecretData({"api-key": b"v1"})}
        assert len(server.reads) == 1
        noticed.clear()
        server.changed.set()
        await noticed.wait()
        found = await store.read([("open", "keys")])
        assert found[("open", "keys")].values == {"api-key": b"v2"}
        assert len(server.reads) == 2


async def test_what_does_not_exist_is_not_asked_for(tmp_path: Path) -> None:
    server = Server()
    async with watching(server, tmp_path) as (store, _):
        assert await store.read([("open", "other")]) == {}
    assert server.reads == []


async def test_what_may_not_be_read_is_said_so(tmp_path: Path) -> None:
    async with watching(Server(), tmp_path) as (store, _):
        found = await store.read([("closed", "keys"), ("elsewhere", "keys")])
        assert [data.readable for data in found.values()] == [False, False]


async def test_without_provider_namespaces_nothing_is_readable(tmp_path: Path) -> None:
    async with api_server(Server().answer, tmp_path) as kubeconfig, connect(kubeconfig) as cluster:
        store = SecretStore(cluster, (), lambda: None)
        assert not (await store.read([("open", "keys")]))[("open", "keys")].readable
