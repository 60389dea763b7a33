"""Which clusters know native sidecars."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from penstock_operator.cluster import Forbidden, connect
from penstock_operator.cluster.nodes import knows_native_sidecars, release_of
from tests.operator.cluster.api_server import api_server, status


def node(version: str | None) -> dict[str, Any]:
    return {"status": {"nodeInfo": {"kubeletVersion": version}}} if version else {}


async def known(directory: Path, minor: str, *kubelets: str | None, right: bool = True) -> bool:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/version":
            return web.json_response({"major": "1", "minor": minor})
        assert request.path == "/api/v1/nodes"
        if not right:
            return status(403, "nodes is forbidden")
        place = int(request.query.get("continue", "0"))
        more = {"continue": str(place + 1)} if place + 1 < len(kubelets) else {}
        page = [node(each) for each in kubelets[place : place + 1]] or None
        return web.json_response({"metadata": more, "items": page})

    async with api_server(answer, directory) as kubeconfig, connect(kubeconfig) as cluster:
        return await knows_native_sidecars(cluster)


@pytest.mark.parametrize(
    ("minor", "kubelets", "expected"),
    [
        ("29", ["v1.29.0"], True),
        ("33+", ["v1.31.4-gke.100", "v1.29.9"], True),
        ("29", ["v1.29.0", "v1.28.15"], False),
        ("28", ["v1.29.0"], False),
        ("35", ["v1.35.0", "fake"], False),
        ("35", ["v1.35.0", None], False),
        ("35", [], False),
    ],
)
async def test_server_and_every_kubelet_must_know_them(
    minor: str, kubelets: list[str | None], expected: bool, tmp_path: Path
) -> None:
    assert await known(tmp_path, minor, *kubelets) is expected


async def test_without_the_right_to_see_nodes_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(Forbidden):
        await known(tmp_path, "35", right=False)
    assert await known(tmp_path, "20", right=False) is False, "an old server needs no look"


@pytest.mark.parametrize(
    ("text", "release"),
    [("v1.29.3", (1, 29)), ("1.30", (1, 30)), ("v1.29.3-vk-azure", (1, 29)), ("", (0, 0))],
)
def test_releases_are_read_of_versions(text: str, release: tuple[int, int]) -> None:
    assert release_of(text) == release
