"""Spending out of a real Redis into Budgets on a real API server, alerts and webhooks included."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from penstock_config.layout import Group, budget_field
from penstock_operator.cluster import Cluster
from penstock_operator.cluster.client import EVENTS, LEASES, SECRETS, Document
from tests.cluster.objects import (
    BUDGETS,
    budget,
    condition,
    eventually,
    put,
    secret,
)
from tests.cluster.processes import Process, operator_environment, running
from tests.operator.handlers.hooks import Hooks, served_hooks


@pytest.fixture
async def hooks() -> AsyncIterator[Hooks]:
    async with served_hooks() as found:
        yield found


@pytest.fixture
def environment(server: Path, own: str, home: str, redis_url: str) -> dict[str, str]:
    return operator_environment(
        server,
        own,
        provider_namespaces=home,
        redis_url=redis_url,
        redis_password="",
        budget_seconds="0.5",
        notify_loopback="true",
    )


@pytest.fixture
async def books(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        yield client


def field(home: str, kind: str) -> tuple[str, str]:
    """Key and field; of `total`, the period that no test outlives."""
    name = budget_field(f"{home}/money", "total")
    return Group.of_namespace("test", home).state, f"{name}:all:{kind}"


async def spend(books: redis.asyncio.Redis, home: str, micro: int, kind: str = "S") -> None:
    """As a sidecar that settles."""
    await books.hincrby(*field(home, kind), micro)


async def settled(books: redis.asyncio.Redis, home: str) -> int:
    return int(await books.hget(*field(home, "S")) or 0)


def money(home: str, **spec: Any) -> Document:
    return budget(home, **{"limits": {"total": "5"}, **spec})


async def status(cluster: Cluster, home: str) -> Document:
    found: Document = (await cluster.get(BUDGETS, "money", home)).get("status", {})
    return found


async def shows(cluster: Cluster, home: str, **figures: Any) -> Document:
    """The status, once its one period has these figures."""

    async def check() -> Document:
        found = await status(cluster, home)
        assert found.get("periods"), found
        assert {name: found["periods"][0].get(name) for name in figures} == figures
        return found

    return await eventually(check)


async def alerts(cluster: Cluster, home: str) -> list[tuple[int, bool, str]]:
    found = (await status(cluster, home)).get("alerts", ())
    return sorted((each["percent"], each["told"], each["webhook"]) for each in found)


async def alert_events(cluster: Cluster, home: str) -> list[Document]:
    found = await cluster.list(EVENTS, home)
    return [each for each in found if each["reason"] == "AlertThresholdReached"]


async def put_notified(cluster: Cluster, home: str, hooks: Hooks, **spec: Any) -> None:
    await put(cluster, SECRETS, secret(home, "hook", url=f"{hooks.url}/budget?token=hush-hush"))
    notify = {"webhookSecretRef": {"name": "hook", "key": "url"}}
    await put(cluster, BUDGETS, money(home, notify=notify, **spec))


async def test_what_is_spent_is_in_the_status(
    cluster: Cluster,
    home: str,
    environment: dict[str, str],
    books: redis.asyncio.Redis,
    tmp_path: Path,
) -> None:
    await put(cluster, BUDGETS, money(home))
    with running(tmp_path / "log", environment) as process:
        await shows(cluster, home, limit="5.00", spent="0.00", utilisationPercent=0)
        await spend(books, home, 4_250_000)
        await spend(books, home, 250_000, "R")
        await spend(books, home, 250_000, "U")
        found = await shows(
            cluster, home, spent="4.25", reserved="0.25", unsettled="0.25", remaining="0.25"
        )
        assert (found["periods"][0]["name"], found["periods"][0]["label"]) == ("total", "all")
        assert found["periods"][0]["utilisationPercent"] == 95
        document = await cluster.get(BUDGETS, "money", home)
        states = {
            type_: condition(document, type_)["status"]
            for type_ in ("WithinBudget", "AlertThresholdReached", "Exhausted", "Accepted")
        }
        assert states == {
            "WithinBudget": "True",
            "AlertThresholdReached": "True",
            "Exhausted": "False",
            "Accepted": "True",
        }
        await spend(books, home, 1_000_000)
        await shows(cluster, home, spent="5.25", remaining="0.00")
        assert condition(await cluster.get(BUDGETS, "money", home), "Exhausted")["status"] == "True"
        assert process.stop() == 0
        assert process.events("ledger.failed") == []


ONE_SERVER = pytest.mark.parametrize(
    "server",
    [pytest.param("crds_kubeconfig", marks=pytest.mark.crds, id="crds")],
    indirect=True,
)
"""Where what is shown does not depend on the API server."""


@ONE_SERVER
@pytest.mark.slow
async def test_alerts_are_told_once_though_operators_are_killed(
    cluster: Cluster,
    home: str,
    environment: dict[str, str],
    books: redis.asyncio.Redis,
    hooks: Hooks,
    tmp_path: Path,
) -> None:
    own = environment["PENSTOCK_NAMESPACE"]
    hooks.answer(503)
    await put_notified(cluster, home, hooks)
    await spend(books, home, 4_100_000)
    with running(tmp_path / "first", environment) as process:
        await eventually(lambda: _is(alerts(cluster, home), [(80, True, "Pending")]))
        await eventually(lambda: _called(hooks, 2))
        process.kill()
    assert "hush-hush" not in process.log
    (event,) = await alert_events(cluster, home)
    hooks.answer(200)
    await cluster.delete(LEASES, "penstock-operator", own)  # else the next one waits for its end
    with running(tmp_path / "second", environment) as process:
        await eventually(lambda: _is(alerts(cluster, home), [(80, True, "Delivered")]))
        await put_notified(cluster, home, hooks, alertThresholdsPercent=[81])
        await spend(books, home, 1_000)
        await eventually(lambda: _is(_percents(cluster, home), [80, 81]))
        await put_notified(cluster, home, hooks, limits={"total": "4.5"})
        await shows(cluster, home, limit="4.50")
        assert process.stop() == 0
    assert [e["metadata"]["uid"] for e in await alert_events(cluster, home)].count(
        event["metadata"]["uid"]
    ) == 1
    keys = {call.key for call in hooks.calls}
    assert len(keys) == 2, "a key for each of 80 % and 81 %, though 80 was called again and again"
    taken = [call for call in hooks.calls if call.answered == 200]
    assert len(taken) == len({call.key for call in taken}), "and each was taken once"
    assert {
        call.body["spentUSD"] for call in hooks.calls if call.body["thresholdPercent"] == 80
    } == {"4.10"}


async def _is(found: Any, wanted: Any) -> bool:
    value = await found
    assert value == wanted
    return True


async def _percents(cluster: Cluster, home: str) -> list[int]:
    return [percent for percent, *_ in await alerts(cluster, home)]


async def _called(hooks: Hooks, times: int) -> bool:
    return len(hooks.calls) >= times


@ONE_SERVER
@pytest.mark.slow
async def test_of_two_operators_one_tells_and_the_other_goes_on(
    cluster: Cluster,
    home: str,
    environment: dict[str, str],
    books: redis.asyncio.Redis,
    hooks: Hooks,
    tmp_path: Path,
) -> None:
    await put_notified(cluster, home, hooks)
    with (
        running(tmp_path / "first", environment) as first,
        running(tmp_path / "second", environment) as second,
    ):
        await spend(books, home, 4_000_000)
        await eventually(lambda: _is(alerts(cluster, home), [(80, True, "Delivered")]))
        leads = {bool(each.events("leader.acquired")): each for each in (first, second)}
        assert set(leads) == {True, False}, "one leads, one stands by"
        leads[True].kill()
        own = environment["PENSTOCK_NAMESPACE"]
        await cluster.delete(LEASES, "penstock-operator", own)  # else its end is waited for
        await spend(books, home, 1_000_000)
        wanted = [(80, True, "Delivered"), (100, True, "Delivered")]
        await eventually(lambda: _is(alerts(cluster, home), wanted))
        assert leads[False].stop() == 0
    assert sorted(call.body["thresholdPercent"] for call in hooks.calls) == [80, 100]
    assert len(await alert_events(cluster, home)) == 2


@ONE_SERVER
async def test_what_was_spent_comes_back_after_redis_lost_everything(
    cluster: Cluster,
    home: str,
    environment: dict[str, str],
    books: redis.asyncio.Redis,
    tmp_path: Path,
) -> None:
    await put(cluster, BUDGETS, money(home))
    await spend(books, home, 3_000_000)
    with running(tmp_path / "log", environment) as process:
        await shows(cluster, home, spent="3.00")
        await books.flushall()

        async def is_back() -> bool:
            assert (await status(cluster, home))["periods"][0]["spent"] == "3.00", "never less"
            return await settled(books, home) == 3_000_000

        await eventually(is_back)
        state = Group.of_namespace("test", home).state
        found = await books.hmget(state, "@epoch", "@learning")
        assert [int(str(value, "ascii")) > 0 for value in found if isinstance(value, bytes)] == [
            True,
            True,
        ]
        assert len(process.events("ledger.restored")) == 1
        assert process.stop() == 0


@ONE_SERVER
async def test_without_redis_the_last_figures_stay(
    cluster: Cluster,
    home: str,
    environment: dict[str, str],
    books: redis.asyncio.Redis,
    tmp_path: Path,
) -> None:
    await put(cluster, BUDGETS, money(home))
    await spend(books, home, 3_000_000)
    with running(tmp_path / "log", environment) as process:
        await shows(cluster, home, spent="3.00")
        await books.config_set("requirepass", "changed")
        await books.client_kill_filter(_type="normal")
        await eventually(lambda: _logged(process, "ledger.away"))
        await books.config_set("requirepass", "")
        await eventually(lambda: _logged(process, "ledger.back"))
        await spend(books, home, 1_000_000)
        await shows(cluster, home, spent="4.00")
        assert len(process.events("ledger.away")) == 1
        assert process.stop() == 0


async def _logged(process: Process, event: str) -> bool:
    return bool(process.events(event))
