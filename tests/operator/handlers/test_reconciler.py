"""When everything is compiled: at once, or a little later together with more of its kind."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from penstock_operator.cluster import connect
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.handlers.reconciler import LATER_SECONDS, Reconciler
from penstock_operator.metrics import Metrics
from penstock_operator.settings import Settings
from tests.operator.cluster.api_server import write_kubeconfig

pytestmark = pytest.mark.looptime


class AtWork:
    """A reconciler of an empty cluster, to which it has nothing to say."""

    def __init__(self, reconciler: Reconciler, metrics: Metrics) -> None:
        self.reconciler = reconciler
        self._metrics = metrics

    def compilations(self) -> float:
        name, labels = "penstock_operator_reconciles_total", {"result": "ok"}
        return self._metrics.registry.get_sample_value(name, labels) or 0

    async def until(self, compilations: float) -> None:
        while self.compilations() < compilations:  # noqa: ASYNC110  # a counter tells nobody
            await asyncio.sleep(0.1)


@pytest.fixture
async def at_work(tmp_path: Path) -> AsyncIterator[AtWork]:
    metrics, nowhere = Metrics(), write_kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:1")
    async with connect(nowhere) as cluster:
        reconciler = Reconciler(cluster, Inventory(), Settings(), metrics)
        running = asyncio.create_task(reconciler.run())
        reconciler.begin()
        found = AtWork(reconciler, metrics)
        await found.until(1)
        yield found
        running.cancel()
        await asyncio.wait([running])


async def test_a_change_is_compiled_at_once(at_work: AtWork) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    at_work.reconciler.mark_later()
    at_work.reconciler.mark()
    await at_work.until(2)
    assert loop.time() - began < LATER_SECONDS


async def test_many_that_can_wait_are_compiled_together(at_work: AtWork) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    while loop.time() - began < LATER_SECONDS - 0.1:
        at_work.reconciler.mark_later()
        await asyncio.sleep(0.05)
    assert at_work.compilations() == 1
    await at_work.until(2)
    assert loop.time() - began >= LATER_SECONDS
    await asyncio.sleep(2 * LATER_SECONDS)
    assert at_work.compilations() == 2
