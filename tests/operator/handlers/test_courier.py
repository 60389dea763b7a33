"""Alerts reach webhooks: again and again while that may help, and nowhere else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from penstock_operator.cluster import connect
from penstock_operator.handlers.courier import Courier
from penstock_operator.handlers.webhook_post import (
    CallFailed,
    CallRefused,
    ForbiddenAddress,
    GuardedResolver,
    call,
    is_forbidden,
    session,
)
from penstock_operator.ledger.account import Account
from penstock_operator.ledger.alerts import Alert
from penstock_operator.ledger.page import News
from penstock_operator.metrics import Metrics
from tests.operator.handlers.budget_api import BudgetApi, served
from tests.operator.handlers.hooks import Hooks, served_hooks
from tests.operator.handlers.waiting import until
from tests.operator.ledger.accounts import DAY, USD, account

WHO = account(webhook=True)
ALERT = Alert("daily", DAY, 80, 5 * USD, 4 * USD, datetime.now(UTC), True, "Pending")


@pytest.fixture
async def hooks() -> AsyncIterator[Hooks]:
    async with served_hooks() as found:
        yield found


@dataclass
class Bench:
    """A courier, and what it says."""

    courier: Courier
    news: list[News] = field(default_factory=list)

    def outcome(self) -> str | None:
        return self.courier.outcome(WHO.uid, ALERT.key)


@asynccontextmanager
async def working(
    api: BudgetApi, directory: Path, may_call: Callable[[], bool] = lambda: True
) -> AsyncIterator[Bench]:
    news: list[News] = []

    async def tell(_: Account, said: News) -> None:
        news.append(said)

    async with (
        served(api, directory) as kubeconfig,
        connect(kubeconfig) as cluster,
        session(loopback=True) as client,
    ):

        async def work(bench: asyncio.Future[Bench]) -> None:
            async with asyncio.TaskGroup() as tasks:
                courier = Courier(
                    tasks,
                    cluster,
                    client,
                    tell,
                    Metrics(),
                    may_call,
                    installation="test",
                    loopback=True,
                    first_pause_seconds=0.01,
                )
                bench.set_result(Bench(courier, news))
                await asyncio.Event().wait()

        made: asyncio.Future[Bench] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(work(made))
        try:
            yield await made
        finally:
            task.cancel()
            await asyncio.wait([task])


def keeping(hooks: Hooks) -> BudgetApi:
    return BudgetApi(secrets={"hook": {"url": hooks.url}})


@pytest.mark.parametrize("status", [500, 503, 408, 429])
async def test_what_may_pass_is_tried_again(hooks: Hooks, tmp_path: Path, status: int) -> None:
    hooks.answer(status)
    async with working(keeping(hooks), tmp_path) as bench:
        bench.courier.offer(WHO, ALERT)
        await until(lambda: len(hooks.calls) >= 3)
        assert bench.outcome() is None
        hooks.answer(204)
        await until(lambda: bench.outcome() == "Delivered")
    assert len({call.key for call in hooks.calls}) == 1
    assert len({str(call.body) for call in hooks.calls}) == 1
    assert bench.news == []


@pytest.mark.parametrize("status", [400, 401, 404, 410, 301, 308])
async def test_what_will_not_pass_is_given_up_and_said(
    hooks: Hooks, tmp_path: Path, status: int
) -> None:
    hooks.answer(status, Location=f"{hooks.url}/elsewhere")
    async with working(keeping(hooks), tmp_path) as bench:
        bench.courier.offer(WHO, ALERT)
        await until(lambda: bool(bench.news))
    assert bench.outcome() == "GivenUp"
    assert len(hooks.calls) == 1, "and no redirect is followed"
    assert [news.reason for news in bench.news] == ["NotifyGivenUp"]
    assert str(status) in bench.news[0].message
    assert hooks.url not in bench.news[0].message


async def test_after_a_day_it_is_given_up(hooks: Hooks, tmp_path: Path) -> None:
    hooks.answer(503)
    old = replace(ALERT, at=ALERT.at - timedelta(days=1))
    async with working(keeping(hooks), tmp_path) as bench:
        bench.courier.offer(WHO, old)
        await until(lambda: bench.outcome() == "GivenUp")
    assert len(hooks.calls) == 1, "it is tried at least once"


async def test_an_alert_that_is_offered_again_is_delivered_once(
    hooks: Hooks, tmp_path: Path
) -> None:
    async with working(keeping(hooks), tmp_path) as bench:
        for _ in range(5):
            bench.courier.offer(WHO, ALERT)
        await until(lambda: bench.outcome() == "Delivered")
        bench.courier.offer(WHO, ALERT)
        bench.courier.offer(WHO, replace(ALERT, percent=100))
        await until(lambda: len(hooks.calls) == 2)
    assert [call.body["thresholdPercent"] for call in hooks.calls] == [80, 100]


@pytest.mark.parametrize("kept", [{}, {"hook": {}}, {"hook": {"url": "not a URL"}}])
async def test_a_secret_that_is_mended_is_used(
    hooks: Hooks, tmp_path: Path, kept: dict[str, dict[str, str]]
) -> None:
    api = BudgetApi(secrets=kept)
    async with working(api, tmp_path) as bench:
        bench.courier.offer(WHO, ALERT)
        failed = bench.courier._metrics.notifications.labels("failed")
        await until(lambda: failed._value.get() >= 2)
        api.secrets = keeping(hooks).secrets
        await until(lambda: bench.outcome() == "Delivered")


async def test_a_budget_that_asks_no_longer_is_not_told(hooks: Hooks, tmp_path: Path) -> None:
    hooks.answer(503)
    async with working(keeping(hooks), tmp_path) as bench:
        bench.courier.offer(WHO, ALERT)
        await until(lambda: bool(hooks.calls))
        bench.courier.offer(account(), ALERT)
        await until(lambda: bench.outcome() == "NotAsked")


async def test_a_budget_that_is_gone_is_forgotten(hooks: Hooks, tmp_path: Path) -> None:
    hooks.answer(503)
    async with working(keeping(hooks), tmp_path) as bench:
        bench.courier.offer(WHO, ALERT)
        await until(lambda: bool(hooks.calls))
        bench.courier.keep({})
        await until(lambda: not bench.courier._running)
    assert bench.outcome() is None


async def test_what_the_status_knows_is_forgotten(hooks: Hooks, tmp_path: Path) -> None:
    async with working(keeping(hooks), tmp_path) as bench:
        bench.courier.offer(WHO, ALERT)
        await until(lambda: bench.outcome() == "Delivered")
        bench.courier.keep({WHO.uid: {ALERT.key}})
        assert bench.outcome() == "Delivered"
        bench.courier.keep({WHO.uid: set()})
        assert bench.outcome() is None


async def test_what_breaks_for_a_day_is_given_up_too(hooks: Hooks, tmp_path: Path) -> None:
    old = replace(ALERT, at=ALERT.at - timedelta(days=1))
    async with working(keeping(hooks), tmp_path) as bench:
        await bench.courier._client.close()
        bench.courier.offer(WHO, old)
        await until(lambda: bench.outcome() == "GivenUp")
    assert "see its log" in bench.news[0].message


async def test_a_replica_that_may_not_write_calls_nobody(hooks: Hooks, tmp_path: Path) -> None:
    async with working(keeping(hooks), tmp_path, may_call=lambda: False) as bench:
        bench.courier.offer(WHO, ALERT)
        failed = bench.courier._metrics.notifications.labels("failed")
        await until(lambda: failed._value.get() >= 2)
    assert hooks.calls == []


@pytest.mark.parametrize(
    ("text", "forbidden"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("169.254.169.254", True),
        ("fe80::1%eth0", True),
        ("::ffff:169.254.169.254", True),
        ("0.0.0.0", True),
        ("224.0.0.1", True),
        ("10.0.0.1", False),
        ("2001:db8::1", False),
        ("hooks.example.com", False),
    ],
)
def test_some_addresses_are_nobodys_business(text: str, forbidden: bool) -> None:
    assert is_forbidden(text, loopback=False) is forbidden


def test_this_machine_may_be_allowed_and_its_link_may_not() -> None:
    assert not is_forbidden("127.0.0.1", loopback=True)
    assert is_forbidden("169.254.169.254", loopback=True)


async def test_a_name_that_leads_to_this_machine_is_not_called(hooks: Hooks) -> None:
    resolver = GuardedResolver(loopback=False)
    with pytest.raises(ForbiddenAddress):
        await resolver.resolve("localhost", 80)
    await resolver.close()
    by_name = hooks.url.replace("127.0.0.1", "localhost")
    async with session(loopback=False) as client:
        with pytest.raises(CallFailed, match="no answer"):
            await call(client, by_name, {}, "key", loopback=False)
        with pytest.raises(CallRefused):
            await call(client, hooks.url, {}, "key", loopback=False)
    assert hooks.calls == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "\uff11\uff12\uff17.0.0.1",
        "127\u30020\u30020\u30021",
        "a@127.0.0.1",
        "127.1",
        "2130706433",
    ],
)
async def test_an_address_is_known_however_it_is_written(hooks: Hooks, host: str) -> None:
    """The client reads digits of any script, and takes other dots for dots."""
    async with session(loopback=False) as client:
        with pytest.raises(CallFailed):
            await call(client, hooks.url.replace("127.0.0.1", host), {}, "k", loopback=False)
    assert hooks.calls == []


@pytest.mark.parametrize(
    "url", ["ftp://a.example/x", "file:///etc/passwd", "http://", "http://a:port/", "http://a:0/"]
)
async def test_what_is_no_web_address_is_not_called(url: str) -> None:
    async with session(loopback=True) as client:
        with pytest.raises(CallFailed, match="no URL") as caught:
            await call(client, url, {}, "key", loopback=True)
    assert url not in str(caught.value)
