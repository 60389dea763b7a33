"""When everything is listed, and what is done about it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from penstock_operator.cluster import connect
from penstock_operator.handlers.comparing import Comparison
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.handlers.sources import NAMESPACES, Notebook
from tests.operator.cluster.api_server import api_server
from tests.operator.handlers.bodies import Body, meta


class Heard:
    """What a comparison calls."""

    def __init__(self) -> None:
        self.changed, self.empty = asyncio.Event(), asyncio.Event()


@asynccontextmanager
async def comparing(
    directory: Path, inventory: Inventory, listed: Callable[[], Awaitable[list[Body] | None]]
) -> AsyncIterator[tuple[Comparison, Heard]]:
    """`listed` gives what there is, or `None` while the API server is away."""

    async def answer(_: web.Request) -> web.StreamResponse:
        items = await listed()
        if items is None:
            return web.json_response({"message": "away"}, status=503)
        return web.json_response({"metadata": {}, "items": items})

    heard = Heard()
    async with api_server(answer, directory) as kubeconfig, connect(kubeconfig) as cluster:
        notebook = Notebook(inventory)
        comparison = Comparison(cluster, (NAMESPACES,), notebook, (), heard.changed.set)
        running = asyncio.create_task(comparison.run(heard.empty.set))
        try:
            yield comparison, heard
        finally:
            running.cancel()
            await asyncio.wait([running])


async def test_where_nothing_is_it_says_so(tmp_path: Path) -> None:
    async def listed() -> list[Body]:
        return []

    async with comparing(tmp_path, Inventory(), listed) as (_, heard):
        await heard.empty.wait()
        assert not heard.changed.is_set()


async def test_a_watch_that_began_anew_has_what_it_missed_looked_up(tmp_path: Path) -> None:
    there = ["stays", "goes"]

    async def listed() -> list[Body]:
        return [meta("Namespace", name, "", resourceVersion="1") for name in there]

    inventory = Inventory()
    async with comparing(tmp_path, inventory, listed) as (comparison, heard):
        await heard.changed.wait()
        assert set(inventory.namespaces) == {"stays", "goes"}
        heard.changed.clear()
        there.remove("goes")
        comparison.relisted()
        await heard.changed.wait()
        assert set(inventory.namespaces) == {"stays"}
