"""Secrets are read by name, when they changed, and nowhere else."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from penstock_operator.cluster import connect
from penstock_operator.compile.snapshot import SecretData
from penstock_operator.handlers.secret_store import PATIENCE, SecretStore
from tests.operator.cluster.api_server import Handler, api_server, status, stream


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


async def test_a_secret_that_may_be_seen_and_not_read_stops_no_other(tmp_path: Path) -> None:
    server = Server()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/sealed"):
            return status(403, "no")
        if request.path.endswith("/keys") or "watch" in request.query:
            return await server.answer(request)
        items = [
            {"metadata": {"name": name, "resourceVersion": "1"}} for name in ("keys", "sealed")
        ]
        return web.json_response({"metadata": {"resourceVersion": "1"}, "items": items})

    async with following(answer, tmp_path) as store:
        found = await store.read([("open", "keys"), ("open", "sealed")])
    assert found[("open", "keys")].values == {"api-key": b"v1"}
    assert not found[("open", "sealed")].readable


async def test_a_refusal_that_passes_takes_no_key_away(tmp_path: Path) -> None:
    server, refusals = Refusing(PATIENCE - 1), [("open", "keys")]
    async with following(server.answer, tmp_path) as store:
        assert (await store.read(refusals))[("open", "keys")].readable
        await server.listed_again.wait()
        assert (await store.read(refusals))[("open", "keys")].readable


async def test_a_right_that_stays_withdrawn_takes_the_keys_away(tmp_path: Path) -> None:
    server = Refusing(PATIENCE)
    noticed = asyncio.Event()
    async with following(server.answer, tmp_path, noticed.set) as store:
        assert (await store.read([("open", "keys")]))[("open", "keys")].readable
        noticed.clear()
        await noticed.wait()
        assert not (await store.read([("open", "keys")]))[("open", "keys")].readable


class Refusing:
    """As `Server`; after the first list, so many more are refused."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.lists = 0
        self.listed_again = asyncio.Event()
        self._server = Server()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/keys"):
            return await self._server.answer(request)
        if "watch" in request.query:
            if self.lists == 1:
                return await stream(request, {"type": "ERROR", "object": {"code": 410}})
            await asyncio.Event().wait()
        self.lists += 1
        if 1 < self.lists <= 1 + self.refusals:
            return status(403, "not now")
        if self.lists > 1:
            self.listed_again.set()
        return await self._server.answer(request)


@asynccontextmanager
async def following(
    answer: Handler, directory: Path, on_change: Callable[[], None] = lambda: None
) -> AsyncIterator[SecretStore]:
    """A store of the namespace `open` that tries again at once."""
    async with (
        api_server(answer, directory) as kubeconfig,
        connect(kubeconfig) as cluster,
        asyncio.TaskGroup() as group,
    ):
        store = SecretStore(cluster, ("open",), on_change, retry_seconds=0)
        task = group.create_task(store.watch())
        try:
            yield store
        finally:
            task.cancel()
