"""The ledger's loop: each thing is told once, wherever the operator dies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from penstock_operator.cluster import connect
from penstock_operator.handlers.books import Books
from penstock_operator.metrics import Metrics
from penstock_operator.settings import Settings
from tests.operator.handlers.bodies import Body, budget
from tests.operator.handlers.budget_api import BudgetApi, Gate, served
from tests.operator.handlers.hooks import Hooks, served_hooks
from tests.operator.handlers.waiting import until

USD = 1_000_000
STATE = "{test:n:shop}:state"
FOREVER: dict[str, Any] = {"limits": {"total": "5"}}
"""The period that no test can outlive."""
SETTLED = "budget:shop/money:total:all:S"


@pytest.fixture
async def books(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
async def hooks() -> AsyncIterator[Hooks]:
    async with served_hooks() as found:
        yield found


@pytest.fixture
def api(hooks: Hooks) -> BudgetApi:
    """One Budget that tells a webhook."""
    found = BudgetApi(secrets={"hook": {"url": f"{hooks.url}/told"}})
    found.budgets["money"] = notified(budget(**FOREVER))
    return found


@dataclass(frozen=True)
class World:
    api: BudgetApi
    hooks: Hooks
    books: redis.asyncio.Redis
    redis_url: str


@pytest.fixture
def world(api: BudgetApi, hooks: Hooks, books: redis.asyncio.Redis, redis_url: str) -> World:
    return World(api, hooks, books, redis_url)


def notified(body: Body) -> Body:
    body["spec"]["notify"] = {"webhookSecretRef": {"name": "hook", "key": "url"}}
    return body


async def listed() -> None:
    return None


@asynccontextmanager
async def operating(
    api: BudgetApi, kubeconfig: Path, redis_url: str, **options: Any
) -> AsyncIterator[Metrics]:
    """A process's loop, until the block ends: then it is dead."""
    metrics = Metrics()
    settings = Settings(
        cluster="test", redis_url=redis_url, budget_seconds=0.02, notify_loopback=True
    )
    async with connect(kubeconfig) as cluster:
        books = Books(cluster, api.inventory(), settings, metrics, lambda: True, listed, **options)
        task = asyncio.create_task(books.run())
        try:
            yield metrics
        finally:
            task.cancel()
            await asyncio.wait([task])


def alerts(api: BudgetApi) -> list[tuple[int, bool, str]]:
    found = api.budgets["money"].get("status", {}).get("alerts", ())
    return [(each["percent"], each["told"], each["webhook"]) for each in found]


DONE = [(80, True, "Delivered")]


async def test_an_alert_goes_to_status_event_metric_and_webhook(
    api: BudgetApi, hooks: Hooks, books: redis.asyncio.Redis, redis_url: str, tmp_path: Path
) -> None:
    await books.hset(STATE, SETTLED, 4 * USD)
    async with (
        served(api, tmp_path) as kubeconfig,
        operating(api, kubeconfig, redis_url) as metrics,
    ):
        await until(lambda: alerts(api) == DONE)
    assert api.writes[0]["alerts"][0]["told"] is False, "the status first"
    assert api.reasons() == ["AlertThresholdReached"]
    (call,) = hooks.calls
    assert call.key == "uid-money-total-all-80"
    assert call.path == "/told"
    assert call.body == {
        "type": "penstock.dev/budget.alert",
        "cluster": "test",
        "namespace": "shop",
        "budget": "money",
        "period": "total",
        "label": "all",
        "thresholdPercent": 80,
        "limitUSD": "5.00",
        "spentUSD": "4.00",
        "time": api.writes[0]["alerts"][0]["time"],
    }
    labels = {"namespace": "shop", "budget": "money", "period": "total"}
    counted = metrics.registry.get_sample_value
    assert counted("penstock_budget_alerts_total", {**labels, "percent": "80"}) == 1
    assert counted("penstock_budget_utilisation_ratio", labels) == 0.8


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
async def test_whoever_dies_at_any_step_leaves_it_to_the_next_who_tells_it_once(
    world: World, tmp_path: Path, at: int, after: bool
) -> None:
    """A receiver that answered somebody who then died is called again, with the same key."""
    api, hooks, redis_url = world.api, world.hooks, world.redis_url
    api.gate = Gate(at, after)
    hooks.around = api.gate.pass_
    await world.books.hset(STATE, SETTLED, 4 * USD)
    async with served(api, tmp_path) as kubeconfig:
        async with operating(api, kubeconfig, redis_url):
            await asyncio.wait_for(api.gate.tripped.wait(), 20)
        noted = alerts(api) == DONE
        async with operating(api, kubeconfig, redis_url):
            await until(lambda: alerts(api) == DONE)
        async with operating(api, kubeconfig, redis_url):
            await world.books.hincrby(STATE, SETTLED, 1)
            await until(lambda: api.writes[-1]["periods"][0]["spent"] == "4.000001")
    assert list(dict.fromkeys(api.gate.effects)) == ["status", "event", "webhook"]
    assert api.reasons() == ["AlertThresholdReached"], "one Event"
    assert {call.key for call in hooks.calls} == {"uid-money-total-all-80"}
    assert len(hooks.calls) <= (1 if noted or at < 3 else 2)
    assert alerts(api) == DONE


async def test_a_status_is_not_written_while_nothing_changes(
    api: BudgetApi, books: redis.asyncio.Redis, redis_url: str, tmp_path: Path
) -> None:
    await books.hset(STATE, SETTLED, USD)
    async with (
        served(api, tmp_path) as kubeconfig,
        operating(api, kubeconfig, redis_url) as metrics,
    ):
        await until(lambda: bool(api.writes))
        await until(lambda: rounds(metrics) > 20)
    assert len(api.writes) == 1


def rounds(metrics: Metrics, result: str = "ok") -> float:
    labels = {"result": result}
    return metrics.registry.get_sample_value("penstock_operator_ledger_rounds_total", labels) or 0


async def test_a_budget_that_breaks_us_keeps_no_other_back(
    api: BudgetApi, books: redis.asyncio.Redis, redis_url: str, tmp_path: Path
) -> None:
    api.budgets["other"] = budget("other", **FOREVER)
    await books.hset(STATE, SETTLED, "no number")
    await books.hset(STATE, SETTLED.replace("money", "other"), USD)
    async with (
        served(api, tmp_path) as kubeconfig,
        operating(api, kubeconfig, redis_url, away_seconds=0.1),
    ):
        await until(lambda: len(api.writes) == 2)
    assert api.budgets["other"]["status"]["periods"][0]["spent"] == "1.00"
    (condition,) = api.budgets["money"]["status"]["conditions"]
    assert (condition["status"], condition["reason"]) == ("Unknown", "RedisUnavailable")


async def test_without_redis_the_figures_stay_and_say_so(
    api: BudgetApi, books: redis.asyncio.Redis, redis_url: str, tmp_path: Path
) -> None:
    await books.hset(STATE, SETTLED, USD)
    async with served(api, tmp_path) as kubeconfig:
        async with operating(api, kubeconfig, redis_url):
            await until(lambda: bool(api.writes))
        before = api.budgets["money"]["status"]
        async with operating(api, kubeconfig, "redis://127.0.0.1:1", away_seconds=0.1) as metrics:
            await until(lambda: within(api) == "Unknown")
            seen = len(api.writes)
            await until(lambda: rounds(metrics, "failed") > 20)
            assert len(api.writes) == seen
        assert api.budgets["money"]["status"]["periods"] == before["periods"]
        async with operating(api, kubeconfig, redis_url):
            await until(lambda: within(api) == "True")


def within(api: BudgetApi) -> str:
    conditions = api.budgets["money"]["status"]["conditions"]
    return next(str(c["status"]) for c in conditions if c["type"] == "WithinBudget")


async def test_a_boost_is_told_when_it_begins_and_ends(
    api: BudgetApi, books: redis.asyncio.Redis, redis_url: str, tmp_path: Path
) -> None:
    await books.hset(STATE, SETTLED, USD)
    boost = {"amountUSD": "5", "until": "2999-01-01T00:00:00Z", "reason": "incident 7"}
    api.budgets["money"]["spec"]["boost"] = boost
    async with served(api, tmp_path) as kubeconfig:
        async with operating(api, kubeconfig, redis_url):
            await until(lambda: bool(api.writes))
        assert api.writes[-1]["periods"][0]["limit"] == "10.00"
        assert api.writes[-1]["boost"]["reason"] == "incident 7"
        del api.budgets["money"]["spec"]["boost"]
        async with operating(api, kubeconfig, redis_url):
            await until(lambda: api.writes[-1]["periods"][0]["limit"] == "5.00")
    assert api.reasons() == ["BoostBegan", "BoostEnded"]
    assert "boost" not in api.budgets["money"]["status"]


async def test_without_a_redis_there_are_no_books(tmp_path: Path) -> None:
    async with served(BudgetApi(), tmp_path) as kubeconfig, connect(kubeconfig) as cluster:
        settings = Settings(redis_url=None)
        books = Books(cluster, BudgetApi().inventory(), settings, Metrics(), lambda: True, listed)
        await asyncio.wait_for(books.run(), 5)
