"""AT13: each dollar is in exactly one period, that in which its request was admitted."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import cast
from zoneinfo import ZoneInfo

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock_config.budget import Amounts, Budget
from penstock_config.layout import Group, budget_field
from penstock_config.periods import Period
from penstock_sidecar.errors import BudgetExceeded
from penstock_sidecar.limits.attempt import Attempt
from penstock_sidecar.model import Chunk, Usage
from tests.sidecar.limits.virtual import VirtualStore
from tests.sidecar.limits.world import (
    CALLER,
    budget,
    candidate,
    config,
    limiter,
    memory,
    request,
)

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
HELD = 50
"""Micro-USD of one request: 30 bytes in, 10 tokens out."""
STATE = Group.of_namespace("test", "shop").state
CHANGES = (
    ("Europe/Berlin", "2026-03-29T01:00"),
    ("Europe/Berlin", "2026-10-25T01:00"),
    ("America/New_York", "2026-03-08T07:00"),
    ("America/New_York", "2026-11-01T06:00"),
    ("Australia/Lord_Howe", "2026-04-04T15:00"),  # by half an hour
    ("Australia/Lord_Howe", "2026-10-03T15:30"),
    ("Asia/Beirut", "2026-03-28T22:00"),  # midnight is skipped
    ("Asia/Beirut", "2026-10-24T21:00"),  # the hour before midnight comes twice
    ("Asia/Shanghai", "2026-11-20T16:00"),
    ("Pacific/Apia", "2011-12-30T10:00"),  # a whole day is skipped
)
SKEWS_SECONDS = (0, -3600, 3600)
ZONES = sorted({zone for zone, _ in CHANGES})
PERIODS: tuple[Period, ...] = ("daily", "weekly", "monthly")
PROPERTY = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True, slots=True)
class Skewed:
    """A sidecar's clock, off by so much."""

    store: VirtualStore
    skew_seconds: float

    def utc(self) -> float:
        return self.store.utc() + self.skew_seconds

    def monotonic(self) -> float:
        return self.utc()


class Running:
    """One sidecar's limiter, and its requests in flight."""

    def __init__(self, store: VirtualStore, limit: Budget, skew_seconds: float = 0) -> None:
        clock = memory(Skewed(store, skew_seconds))
        self._limiter = limiter(config(budgets=(limit,)), store, memory=clock)
        self._stack = AsyncExitStack()

    async def begin(self) -> "Open":
        """Raises `BudgetExceeded`."""
        stack = AsyncExitStack()
        ticket = await stack.enter_async_context(self._limiter.ticket(CALLER, request()))
        attempt = await stack.enter_async_context(ticket.attempt(candidate()))
        attempt.sent()
        return Open(self, stack, attempt)

    async def settled(self) -> None:
        await self._limiter.settled()

    async def close(self) -> None:
        await self._limiter.close()


@dataclass(frozen=True, slots=True)
class Open:
    """A request in flight."""

    by: Running
    stack: AsyncExitStack
    attempt: Attempt

    async def end(self, micro_usd: int) -> None:
        """With usage that costs so much."""
        self.attempt.saw(Chunk(b"", content=True, usage=Usage(micro_usd, 0), end=True))
        await self.stack.aclose()
        await self.by.settled()


@asynccontextmanager
async def running(
    store: VirtualStore, limit: Budget, *skews_seconds: float
) -> AsyncIterator[list[Running]]:
    sidecars = [Running(store, limit, skew) for skew in skews_seconds or (0.0,)]
    try:
        yield sidecars
    finally:
        for sidecar in sidecars:
            await sidecar.close()


@pytest.fixture(scope="module")
def client(_redis_server: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(_redis_server) as opened:
        yield opened


def fresh(client: "redis.Redis", now_us: int) -> VirtualStore:
    client.flushdb()
    store = VirtualStore(client)
    store.now_us = now_us
    return store


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def label(period: Period, zone: str, now_us: int) -> str:
    """By what a calendar on the wall there shows."""
    day = local_date(zone, now_us)
    return {"daily": f"{day:%Y%m%d}", "weekly": f"{day:%GW%V}", "monthly": f"{day:%Y%m}"}[period]


def local_date(zone: str, now_us: int) -> date:
    return datetime.fromtimestamp(now_us // SECOND, ZoneInfo(zone)).date()


def settled(client: "redis.Redis", period: Period) -> Counter[str]:
    """What was settled, by label; nothing may be reserved or unsettled besides."""
    found: Counter[str] = Counter()
    prefix = budget_field("shop/team", period)
    for name, value in cast("dict[bytes, bytes]", client.hgetall(STATE)).items():
        field, _, part = name.decode().rpartition(":")
        if field.startswith(prefix) and part in {"S", "R", "U"}:
            assert part == "S" or not int(value), name
            found[field.removeprefix(f"{prefix}:")] += int(value)
    return found


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """A request: when, near which midnight or change of clocks; by whom; and when it ends."""

    near: int
    after_us: int
    sidecar: int
    micro_usd: int
    ends_after: int
    """So many others have begun by then."""


STEPS = st.lists(
    st.builds(
        Step,
        st.integers(0, 3),
        st.integers(-HOUR, HOUR),
        st.integers(0, 2),
        st.integers(1, HELD),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=12,
)


@given(change=st.sampled_from(CHANGES), period=st.sampled_from(PERIODS), steps=STEPS)
@settings(PROPERTY, max_examples=150)
def test_at13_each_dollar_is_in_the_period_in_which_its_request_was_admitted(
    client: "redis.Redis", change: tuple[str, str], period: Period, steps: list[Step]
) -> None:
    """Around every kind of change of clocks, with sidecars an hour off to both sides, however late
    the usage comes."""
    zone, moment = change
    limit = budget(limits=Amounts(**{period: 10**9}), time_zone=zone)
    anchors = sorted([at(moment), *midnights(zone, at(moment) - 12 * HOUR)])
    when = sorted((anchors[step.near] + step.after_us, step) for step in steps)
    store = fresh(client, when[0][0])

    async def spend() -> Counter[str]:
        due: Counter[str] = Counter()
        waiting: list[tuple[int, Open, int]] = []
        async with running(store, limit, *SKEWS_SECONDS) as sidecars:
            for number, (now_us, step) in enumerate(when):
                store.now_us = now_us
                opened = await sidecars[step.sidecar].begin()
                due[label(period, zone, now_us)] += step.micro_usd
                waiting.append((number + step.ends_after, opened, step.micro_usd))
                for ending in [w for w in waiting if w[0] <= number]:
                    waiting.remove(ending)
                    await ending[1].end(ending[2])
            for _, opened, micro_usd in waiting:
                await opened.end(micro_usd)
        return due

    due, found = asyncio.run(spend()), settled(client, period)
    for name in this_and_last(period, zone, store.now_us):
        assert found[name] == due[name], name
    assert found <= due, "older ones may be forgotten, and nothing is anywhere else"


def this_and_last(period: Period, zone: str, now_us: int) -> list[str]:
    names = [label(period, zone, now_us)]
    moment = now_us - {"daily": 3, "weekly": 15, "monthly": 63}[period] * DAY
    while moment <= now_us:
        names.append(label(period, zone, moment))
        moment = first_of_next(period, zone, moment)
    return sorted(set(names))[-2:]


def midnights(zone: str, now_us: int) -> list[int]:
    """The next three."""
    first = first_of_next("daily", zone, now_us)
    second = first_of_next("daily", zone, first)
    return [first, second, first_of_next("daily", zone, second)]


@given(
    zone=st.sampled_from(ZONES),
    period=st.sampled_from(PERIODS),
    day=st.dates(date(2011, 1, 1), date(2035, 12, 31)),
)
@settings(PROPERTY, max_examples=100)
def test_at13_a_budget_that_is_used_up_opens_when_the_local_date_says_so(
    client: "redis.Redis", zone: str, period: Period, day: date
) -> None:
    """Not a microsecond before, and then at once: it resets, and only then."""
    noon = at(f"{day}T12:00")
    store = fresh(client, noon)
    reset = first_of_next(period, zone, noon)
    limit = budget(limits=Amounts(**{period: HELD}), time_zone=zone)

    async def spend() -> None:
        async with running(store, limit) as (sidecar,):
            await (await sidecar.begin()).end(HELD)
            for moment in (noon, reset - HOUR, reset - 1):
                store.now_us = max(noon, moment)
                with pytest.raises(BudgetExceeded) as refused:
                    await sidecar.begin()
                waits = refused.value.retry_after_seconds
                assert waits
                assert waits * SECOND >= reset - store.now_us
            store.now_us = reset
            await (await sidecar.begin()).end(HELD)
            with pytest.raises(BudgetExceeded):
                await sidecar.begin()

    asyncio.run(spend())


def first_of_next(period: Period, zone: str, now_us: int) -> int:
    """The first moment at which the wall shows another period, by halving."""
    here = label(period, zone, now_us)
    before, after = now_us, now_us + 32 * DAY
    assert label(period, zone, after) != here
    while after - before > 1:
        middle = (before + after) // 2
        if label(period, zone, middle) == here:
            before = middle
        else:
            after = middle
    return after


@pytest.mark.parametrize("late_us", [1, HOUR, 25 * HOUR], ids=["1us", "1h", "25h"])
def test_at13_late_usage_is_booked_to_the_period_in_which_the_request_began(
    client: "redis.Redis", late_us: int
) -> None:
    """Of those that are over by then: nothing of the new day is taken."""
    midnight = at("2026-10-25T23:00")
    store = fresh(client, midnight - 1)
    limit = budget(limits=Amounts(daily=HELD), time_zone="Europe/Berlin")

    async def spend() -> None:
        async with running(store, limit) as (sidecar,):
            opened = await sidecar.begin()
            store.now_us = midnight
            today = await sidecar.begin()
            store.now_us = midnight - 1 + late_us
            await opened.end(30)
            await today.end(40)

    asyncio.run(spend())
    assert settled(client, "daily") == {"20261025": 30, "20261026": 40}


def test_at13_a_skipped_day_is_no_period_to_spend_in(client: "redis.Redis") -> None:
    """Samoa had no 30 December 2011. A sidecar that lags by an hour still charges the 31st then."""
    store = fresh(client, at("2011-12-30T10:00") + 60 * SECOND)
    limit = budget(limits=Amounts(daily=HELD), time_zone="Pacific/Apia")

    async def spend() -> None:
        async with running(store, limit, 0, -3600) as (right, late):
            await (await late.begin()).end(HELD)
            with pytest.raises(BudgetExceeded):
                await right.begin()

    asyncio.run(spend())
    assert settled(client, "daily") == {"20111231": HELD}


def test_at13_an_edited_period_begins_empty_and_the_former_is_not_forgotten(
    client: "redis.Redis",
) -> None:
    """A day's money that is spent blocks no week; and the day is still spent if it comes back."""
    store = fresh(client, at("2026-11-18T12:00"))
    daily, weekly = (budget(limits=Amounts(**{p: HELD})) for p in ("daily", "weekly"))

    async def spend() -> None:
        async with running(store, daily) as (sidecar,):
            await (await sidecar.begin()).end(HELD)
        async with running(store, weekly) as (sidecar,):
            await (await sidecar.begin()).end(HELD)
            with pytest.raises(BudgetExceeded):
                await sidecar.begin()
        async with running(store, daily) as (sidecar,):
            with pytest.raises(BudgetExceeded):
                await sidecar.begin()

    asyncio.run(spend())
    assert settled(client, "daily") == {"20261118": HELD}
    assert settled(client, "weekly") == {"2026W47": HELD}


@pytest.mark.parametrize(("amount", "admitted"), [(2 * HELD, True), (HELD, False), (1, False)])
def test_at13_an_edited_amount_counts_what_was_spent(
    client: "redis.Redis", amount: int, admitted: bool
) -> None:
    store = fresh(client, at("2026-11-18T12:00"))

    async def spend() -> bool:
        async with running(store, budget(limits=Amounts(monthly=2 * HELD))) as (sidecar,):
            await (await sidecar.begin()).end(HELD)
        async with running(store, budget(limits=Amounts(monthly=amount))) as (sidecar,):
            try:
                await (await sidecar.begin()).end(HELD)
            except BudgetExceeded:
                return False
            return True

    assert asyncio.run(spend()) is admitted


@given(
    first=st.sampled_from(ZONES),
    second=st.sampled_from(ZONES),
    change=st.sampled_from([moment for _, moment in CHANGES]),
    between_us=st.integers(0, 30 * HOUR),
)
@settings(PROPERTY, max_examples=60)
def test_at13_an_edited_zone_charges_each_dollar_once(
    client: "redis.Redis", first: str, second: str, change: str, between_us: int
) -> None:
    """Under the date that the zone of its time shows; a request in flight keeps the former."""
    store = fresh(client, at(change) - 15 * HOUR)
    due: Counter[str] = Counter()

    async def spend() -> None:
        async with (
            running(store, budget(time_zone=first)) as (old,),
            running(store, budget(time_zone=second)) as (new,),
        ):
            opened = await old.begin()
            due[label("daily", first, store.now_us)] += 7
            store.now_us += between_us
            await (await new.begin()).end(11)
            due[label("daily", second, store.now_us)] += 11
            await opened.end(7)

    asyncio.run(spend())
    assert settled(client, "daily") == due
