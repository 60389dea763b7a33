"""The API client: what it sends, and what becomes of every way to fail."""

import json
from pathlib import Path

import pytest
from aiohttp import web

from penstock_operator.cluster import (
    ClusterError,
    ClusterUnreachable,
    Conflict,
    Fenced,
    Forbidden,
    NotFound,
    Refused,
    connect,
)
from penstock_operator.cluster.client import (
    CONFIG_MAPS,
    EVENTS,
    LEASES,
    NAMESPACES,
    SECRETS,
    custom,
)
from tests.operator.cluster.api_server import api_server, status, stream, write_kubeconfig
from tests.ports import free_port


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (400, Refused),
        (401, Forbidden),
        (403, Forbidden),
        (404, NotFound),
        (408, ClusterUnreachable),
        (409, Conflict),
        (422, Refused),
        (429, ClusterUnreachable),
        (500, ClusterUnreachable),
        (503, ClusterUnreachable),
    ],
)
async def test_each_status_is_an_error_that_says_who_must_act(
    code: int, error: type[ClusterError], tmp_path: Path
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return status(code, "what the server says")

    async with api_server(answer, tmp_path) as kubeconfig, connect(kubeconfig) as cluster:
        with pytest.raises(error, match=f"GET /api/v1/namespaces/a: {code} what the server says"):
            await cluster.get(NAMESPACES, "a")


async def test_a_server_that_is_away_is_unreachable(tmp_path: Path) -> None:
    kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", f"http://127.0.0.1:{free_port()}")
    async with connect(kubeconfig) as cluster:
        with pytest.raises(ClusterUnreachable, match="Cannot connect"):
            await cluster.version()


async def test_an_answer_that_is_no_json_is_unreachable(tmp_path: Path) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=502, text="<html>bad gateway</html>")

    async with api_server(answer, tmp_path) as kubeconfig, connect(kubeconfig) as cluster:
        with pytest.raises(ClusterUnreachable, match="502"):
            await cluster.get(SECRETS, "a", "b")


async def test_errors_hold_neither_the_token_nor_what_was_sent(tmp_path: Path) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return status(422, "no")

    async with api_server(answer, tmp_path) as kubeconfig, connect(kubeconfig) as cluster:
        document = {"metadata": {"name": "a", "namespace": "b"}, "data": {"key": "hush"}}
        with pytest.raises(Refused) as caught:
            await cluster.apply(SECRETS, document)
        assert "hush" not in repr(caught.value) + str(caught.value)


async def test_an_apply_names_its_owner_and_takes_what_is_its_own(tmp_path: Path) -> None:
    seen: list[tuple[str, str, dict[str, str], object]] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.content_type == "application/apply-patch+yaml"
        sent = json.loads(await request.text())
        seen.append((request.method, request.path, dict(request.query), sent))
        assert request.headers["Authorization"] == "Bearer hush-token"
        return web.json_response({})

    async with api_server(answer, tmp_path) as kubeconfig, connect(kubeconfig) as cluster:
        document = {"metadata": {"name": "a", "namespace": "b"}}
        await cluster.apply(custom("Budget", "budgets"), document, subresource="status")
    typed = {"apiVersion": "penstock.dev/v1alpha1", "kind": "Budget", **document}
    path = "/apis/penstock.dev/v1alpha1/namespaces/b/budgets/a/status"
    query = {"fieldManager": "penstock-operator", "force": "true"}
    assert seen == [("PATCH", path, query, typed)]


async def test_a_list_is_fetched_in_chunks_to_its_end(tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        page = int(request.query.get("continue", "0"))
        assert request.query["labelSelector"] == "a=b"
        meta = {"continue": str(page + 1)} if page < 2 else {}
        return web.json_response({"metadata": meta, "items": [{"page": page}]})

    async with api_server(answer, tmp_path) as kubeconfig, connect(kubeconfig) as cluster:
        found = await cluster.list(CONFIG_MAPS, labels="a=b")
    assert found == [{"page": 0}, {"page": 1}, {"page": 2}]


async def test_an_empty_list_may_be_null(tmp_path: Path) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"metadata": {}, "items": None})

    async with api_server(answer, tmp_path) as kubeconfig, connect(kubeconfig) as cluster:
        assert await cluster.list(CONFIG_MAPS) == []


async def test_nothing_is_written_behind_the_fence(tmp_path: Path) -> None:
    methods = []

    async def answer(request: web.Request) -> web.StreamResponse:
        methods.append(request.method)
        return web.json_response({"metadata": {"name": "a"}})

    async with api_server(answer, tmp_path) as kubeconfig, connect(kubeconfig, bool) as cluster:
        document = {"metadata": {"name": "a", "namespace": "b"}}
        await cluster.get(LEASES, "a", "b")
        for write in (cluster.create, cluster.replace, cluster.apply):
            with pytest.raises(Fenced):
                await write(LEASES, document)
        with pytest.raises(Fenced):
            await cluster.delete(LEASES, "a", "b")
    assert methods == ["GET"]


async def test_versions_follow_a_watch_and_go_on_where_it_ended(tmp_path: Path) -> None:
    asked: list[str] = []

    def event(type_: str, name: str, version: str) -> object:
        return {"type": type_, "object": {"metadata": {"name": name, "resourceVersion": version}}}

    async def answer(request: web.Request) -> web.StreamResponse:
        assert "PartialObjectMetadata" in request.headers["Accept"]
        if "watch" not in request.query:
            meta = {"name": "old", "resourceVersion": "1"}
            return web.json_response(
                {"metadata": {"resourceVersion": "5"}, "items": [{"metadata": meta}]}
            )
        asked.append(request.query["resourceVersion"])
        if len(asked) == 1:
            new, mark = event("ADDED", "new", "6"), event("BOOKMARK", "", "9")
            return await stream(request, new, mark)
        gone = {"type": "ERROR", "object": {"code": 410}}
        return await stream(request, event("DELETED", "old", "10"), gone)

    async with api_server(answer, tmp_path) as kubeconfig, connect(kubeconfig) as cluster:
        found = [versions async for versions in cluster.versions(SECRETS, "a")]
    assert found[0] == {"old": "1"}
    assert found[-1] == {"new": "6"}
    assert asked == ["5", "9"]


async def test_a_watch_that_is_cut_is_unreachable(tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if "watch" in request.query:
            return await stream(request, cut=True)
        return web.json_response({"metadata": {"resourceVersion": "5"}, "items": []})

    async with api_server(answer, tmp_path) as kubeconfig, connect(kubeconfig) as cluster:
        with pytest.raises(ClusterUnreachable):
            async for _ in cluster.versions(SECRETS, "a"):
                pass


async def test_a_watch_that_is_not_allowed_says_so(tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if "watch" in request.query:
            return status(403, "you may not watch")
        return web.json_response({"metadata": {"resourceVersion": "5"}, "items": []})

    async with api_server(answer, tmp_path) as kubeconfig, connect(kubeconfig) as cluster:
        with pytest.raises(Forbidden, match="you may not watch"):
            async for _ in cluster.versions(SECRETS, "a"):
                pass


@pytest.mark.parametrize(
    ("minor", "version"), [("20", (1, 20)), ("29+", (1, 29))], ids=["plain", "cloud"]
)
async def test_the_servers_version_is_read(
    minor: str, version: tuple[int, int], tmp_path: Path
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"major": "1", "minor": minor})

    async with api_server(answer, tmp_path) as kubeconfig, connect(kubeconfig) as cluster:
        assert await cluster.version() == version


async def test_a_group_that_is_not_there_serves_nothing(tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/apis/penstock.dev/v1alpha1":
            return web.json_response({"resources": [{"name": "budgets"}]})
        return status(404, "unknown")

    async with api_server(answer, tmp_path) as kubeconfig, connect(kubeconfig) as cluster:
        assert await cluster.served("penstock.dev", "v1alpha1") == {"budgets"}
        assert await cluster.served("other.dev", "v1") == frozenset()


def test_no_name_leads_to_another_path() -> None:
    assert EVENTS.path("shop") == "/api/v1/namespaces/shop/events"
    assert EVENTS.path("a/../b?c#", "n.1") == "/api/v1/namespaces/a%2F..%2Fb%3Fc%23/events/n.1"
