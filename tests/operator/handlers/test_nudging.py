"""The touch: who is touched, how many at once, and what becomes of failures."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from penstock_operator.cluster import connect
from penstock_operator.delivery.touch import mark_of
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.handlers.nudging import MAX_WRITES_AT_ONCE, ROUND, Nudger
from penstock_operator.metrics import Metrics
from penstock_operator.plan import Published
from tests.operator.delivery.seen import PUBLISHED, pod
from tests.operator.handlers.pod_api import Body, PodApi, served
from tests.operator.handlers.waiting import until

MARK = mark_of(PUBLISHED) or ""
NEWER = Published("newer", "credentials")


@pytest.fixture
def api() -> PodApi:
    found = PodApi()
    found.open.set()
    return found


def inventory_of(*names: str, mark: str = "") -> Inventory:
    inventory = Inventory()
    for name in names:
        inventory.pods["shop", name] = pod(name, mark=mark)
    inventory.note_written("shop", PUBLISHED)
    return inventory


async def listed() -> None:
    return None


@asynccontextmanager
async def nudging(
    api: PodApi,
    inventory: Inventory,
    directory: Path,
    *,
    may_write: Callable[[], bool] = lambda: True,
) -> AsyncIterator[Metrics]:
    metrics = Metrics()
    async with served(api, directory) as kubeconfig, connect(kubeconfig, may_write) as cluster:
        task = asyncio.create_task(Nudger(cluster, inventory, metrics, listed).run())
        try:
            yield metrics
        finally:
            task.cancel()
            await asyncio.wait([task])


async def test_one_annotation_of_the_very_pod_is_changed(api: PodApi, tmp_path: Path) -> None:
    async with nudging(api, inventory_of("p"), tmp_path):
        await until(lambda: api.marks == {"p": MARK})
    assert api.documents == [
        {
            "metadata": {
                "name": "p",
                "namespace": "shop",
                "uid": "uid-p",
                "annotations": {"penstock.dev/config": MARK},
            }
        }
    ]


async def test_many_are_touched_a_few_at_once_and_each_once(api: PodApi, tmp_path: Path) -> None:
    names = [f"p{number}" for number in range(ROUND + 10)]
    inventory = inventory_of(*names)
    async with nudging(api, inventory, tmp_path) as metrics:
        await until(lambda: api.marks.keys() == {*names})
        await until(lambda: metrics.untold_pods._value.get() == 0)
    assert {*api.calls.values()} == {1}
    assert api.most_at_once <= MAX_WRITES_AT_ONCE
    assert metrics.writes.labels("touch", "ok")._value.get() == len(names)
    assert {pod.mark for pod in inventory.pods.values()} == {MARK}


async def test_a_change_while_pods_wait_for_their_turn_costs_no_second_touch(
    api: PodApi, tmp_path: Path
) -> None:
    """Those that were not reached yet get the mark of now."""
    names = [f"p{number}" for number in range(3 * MAX_WRITES_AT_ONCE)]
    inventory = inventory_of(*names)
    api.open.clear()
    async with nudging(api, inventory, tmp_path):
        await until(lambda: api.at_once == MAX_WRITES_AT_ONCE)
        inventory.note_written("shop", NEWER)
        api.open.set()
        await until(lambda: {*api.marks.values()} == {mark_of(NEWER)})
    assert sum(api.calls.values()) == len(names) + MAX_WRITES_AT_ONCE
    assert len(api.marks) == len(names)


async def test_a_pod_that_comes_later_is_touched_and_nobody_else(
    api: PodApi, tmp_path: Path
) -> None:
    inventory = inventory_of("told", mark=MARK)
    async with nudging(api, inventory, tmp_path):
        assert inventory.note_pod(late())
        await until(lambda: bool(api.marks))
        echo = late(**{"penstock.dev/config": MARK})
        assert not inventory.note_pod(echo), "the echo of the touch is no reason to compile"
    assert api.calls == {"late": 1}


def late(**annotations: str) -> Body:
    meta = {"name": "late", "namespace": "shop", "uid": "uid-late", "annotations": annotations}
    return {"metadata": meta, "spec": {"containers": [{"name": "penstock"}]}}


async def test_what_failed_is_tried_again_and_said_once_a_round(
    api: PodApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    api.failing = {"bad": 500, "gone": 404}
    with caplog.at_level(logging.WARNING, "penstock_operator"):
        async with nudging(api, inventory_of("bad", "gone", "good"), tmp_path):
            await until(lambda: "good" in api.marks and api.calls["bad"] == 1)
            api.failing.clear()
            await until(lambda: api.marks.keys() == {"good", "bad", "gone"})
    assert api.calls == {"good": 1, "bad": 2, "gone": 2}
    (said,) = caplog.records
    assert (said.message, said.__dict__["pods"]) == ("touch.failed", 1), "of what is gone, nothing"


async def test_a_replica_that_does_not_lead_touches_nobody(api: PodApi, tmp_path: Path) -> None:
    leads = False
    async with nudging(api, inventory_of("p"), tmp_path, may_write=lambda: leads) as metrics:
        await until(lambda: metrics.writes.labels("touch", "failed")._value.get() == 1)
        assert api.calls == {}
        leads = True
        await until(lambda: api.marks == {"p": MARK})
