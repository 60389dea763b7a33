"""Secrets that parts of the chart share, made once; a real API server has them in tests/cluster."""

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from penstock_operator.cluster import connect
from penstock_operator.cluster.client import Document
from penstock_operator.handlers.login_secret import embedder_login, make_once, redis_login
from tests.operator.cluster.api_server import api_server, status


@dataclass
class SecretApi:
    """Secrets by name; `conflicts`: another one is faster."""

    secrets: dict[str, dict[str, Any]] = field(default_factory=dict)
    conflicts: bool = False
    forced: set[str] = field(default_factory=set)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        name = request.path.rpartition("/")[2]
        if request.method == "GET":
            found = self.secrets.get(name)
            return status(404, name) if found is None else web.json_response(found)
        self.forced.add(request.query["force"])
        if self.conflicts:
            return status(409, name)
        self.secrets[name] = await request.json()
        return web.json_response(self.secrets[name])


def values(document: Document) -> dict[str, str]:
    return {key: base64.b64decode(text).decode() for key, text in document["data"].items()}


@pytest.mark.parametrize("login", [redis_login, embedder_login])
async def test_it_is_made_once_and_stays(login: Any, tmp_path: Path) -> None:
    api = SecretApi()
    async with api_server(api.answer, tmp_path) as kubeconfig, connect(kubeconfig) as cluster:
        assert await make_once(cluster, login("own", "shared"), "a")
        first = api.secrets["shared"]
        assert not await make_once(cluster, login("own", "shared"), "b")
    assert api.secrets["shared"] == first
    assert api.forced == {"false"}


async def test_who_comes_second_takes_what_is_there(tmp_path: Path) -> None:
    api = SecretApi(conflicts=True)
    async with api_server(api.answer, tmp_path) as kubeconfig, connect(kubeconfig) as cluster:
        assert not await make_once(cluster, embedder_login("own", "shared"), "a")


def test_the_embedder_s_holds_a_secret_and_a_password_of_their_own() -> None:
    found = values(embedder_login("own", "shared"))
    assert found.keys() == {"secret", "redis-password"}
    again = values(embedder_login("own", "shared"))
    assert len({*found.values(), *again.values()}) == 4
    assert min(map(len, found.values())) > 40
