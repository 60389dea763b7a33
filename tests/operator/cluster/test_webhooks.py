"""The CA that all replicas of the webhook share, also when it is spoiled or contested."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from penstock_operator.cluster import Cluster, connect
from penstock_operator.cluster.webhooks import shared_ca
from tests.operator.cluster.api_server import api_server, status

OURS, THEIRS, OLD = ((name + b".crt", name + b".key") for name in (b"ours", b"theirs", b"old"))


def document(pair: tuple[bytes, bytes], version: str) -> dict[str, Any]:
    values = (base64.b64encode(value).decode() for value in pair)
    data = dict(zip(("ca.crt", "ca.key"), values, strict=True))
    return {"metadata": {"resourceVersion": version}, "type": "Opaque", "data": data}


class Server:
    """Keeps one Secret; the first write comes second to that of another replica."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] | None = None
        self.other: dict[str, Any] | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.json_response(self.stored) if self.stored else status(404, "none")
        if self.other:
            self.stored, self.other = self.other, None
            return status(409, "too late")
        sent = await request.json()
        former = self.stored["metadata"]["resourceVersion"] if self.stored else None
        assert sent["metadata"].get("resourceVersion") == former
        self.stored = sent
        return web.json_response(sent)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def cluster(server: Server, tmp_path: Path) -> AsyncIterator[Cluster]:
    async with api_server(server.answer, tmp_path) as kubeconfig, connect(kubeconfig) as found:
        yield found


async def shared(cluster: Cluster) -> tuple[bytes, bytes]:
    return await shared_ca(cluster, "a", OURS, lambda pair: pair != OLD)


async def test_the_first_replica_makes_the_ca(cluster: Cluster) -> None:
    assert await shared(cluster) == OURS
    assert await shared_ca(cluster, "a", THEIRS, lambda _: True) == OURS


@pytest.mark.parametrize("spoil", [{}, {"data": None}, {"data": {"ca.crt": "%"}}])
async def test_a_spoiled_ca_is_made_anew(
    server: Server, cluster: Cluster, spoil: dict[str, Any]
) -> None:
    server.stored = {"metadata": {"resourceVersion": "7"}, **spoil}
    assert await shared(cluster) == OURS


async def test_a_ca_that_is_not_good_any_more_is_made_anew(
    server: Server, cluster: Cluster
) -> None:
    server.stored = document(OLD, "7")
    assert await shared(cluster) == OURS


@pytest.mark.parametrize("there", [None, OLD])
async def test_of_two_replicas_the_faster_one_wins(
    server: Server, cluster: Cluster, there: tuple[bytes, bytes] | None
) -> None:
    server.stored = document(there, "7") if there else None
    server.other = document(THEIRS, "8")
    assert await shared(cluster) == THEIRS
