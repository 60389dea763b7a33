"""Comparing with a full list: what a watch has missed is noted, and nothing else."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from penstock_operator.cluster import connect
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.handlers.sources import NAMESPACES, OTHERS, Notebook, sources
from tests.operator.cluster.api_server import api_server
from tests.operator.handlers.bodies import Body, meta


def namespace(name: str, version: str = "1") -> Body:
    return meta("Namespace", name, "", resourceVersion=version)


async def compared(
    notebook: Notebook, directory: Path, listed: Callable[[], Awaitable[list[Body]]]
) -> bool:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"metadata": {}, "items": await listed()})

    async with api_server(answer, directory) as kubeconfig, connect(kubeconfig) as cluster:
        return await notebook.compare(cluster, NAMESPACES, None)


async def test_what_was_missed_is_added_and_what_is_gone_is_dropped(tmp_path: Path) -> None:
    inventory = Inventory()
    notebook = Notebook(inventory)
    for name in ("stays", "phantom"):
        notebook.note(NAMESPACES, namespace(name))

    async def listed() -> list[Body]:
        return [namespace("stays"), namespace("missed")]

    assert await compared(notebook, tmp_path, listed)
    assert inventory.namespaces.keys() == {"stays", "missed"}


async def test_without_a_difference_nothing_changed(tmp_path: Path) -> None:
    notebook = Notebook(Inventory())
    notebook.note(NAMESPACES, namespace("stays"))

    async def listed() -> list[Body]:
        return [namespace("stays")]

    assert not await compared(notebook, tmp_path, listed)


async def test_what_comes_while_the_list_is_under_way_is_kept(tmp_path: Path) -> None:
    inventory = Inventory()
    notebook = Notebook(inventory)
    notebook.note(NAMESPACES, namespace("made-anew", "1"))

    async def listed() -> list[Body]:
        notebook.note(NAMESPACES, namespace("made-anew", "7"))
        notebook.note(NAMESPACES, namespace("new"))
        return []

    await compared(notebook, tmp_path, listed)
    assert inventory.namespaces.keys() == {"made-anew", "new"}


def test_an_empty_cluster_is_known_as_such() -> None:
    notebook = Notebook(Inventory())
    assert notebook.empty
    notebook.note(NAMESPACES, namespace("a"))
    assert not notebook.empty
    notebook.note(NAMESPACES, namespace("a"), gone=True)
    assert notebook.empty


def test_secrets_and_config_maps_are_watched_by_name_alone() -> None:
    """Otherwise every Secret of the cluster would be sent to us."""
    fields = {source.resource.plural: source.fields for source in OTHERS}
    assert fields["secrets"] == "metadata.name=penstock-credentials"
    assert fields["configmaps"] == "metadata.name=penstock-config"


def test_within_namespaces_nothing_of_the_whole_cluster_is_watched() -> None:
    assert all(source.namespaced for source in sources(cluster_wide=False))
    assert NAMESPACES in sources(cluster_wide=True)
