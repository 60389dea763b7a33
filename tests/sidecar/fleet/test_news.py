"""What a sidecar and Redis tell each other of a fleet, and how often."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import pytest
import redis.asyncio

from penstock_config.fleet import DEMAND_STALE_SECONDS, Demand, decode_demand
from penstock_config.layout import Group
from penstock_config.provider import Managed
from penstock_sidecar.fleet import Fleets, News, Place
from penstock_sidecar.fleet.fleet import LiveFleet
from penstock_sidecar.fleet.news import LOOK_SECONDS, QUIET_SECONDS
from penstock_sidecar.fleet.tally import LASTING_SECONDS
from penstock_sidecar.store import Argument, Script, Store, StoreUnavailable
from tests.sidecar.fleet.world import LLAMA, Callers, candidate, fleet_of, replica, settle
from tests.sidecar.redis_store.conftest import opened, until
from tests.sidecar.routing.builders import ManualClock

GROUP = Group.of_provider("test", "team/ollama")
TOLD = Group.of_namespace("test", "shop").fleet("team/ollama")
FOUND = candidate(Managed(may_be_cold=True))
ME = "process-1"


@dataclass(slots=True)
class Counted:
    """A `Store` that says what it was asked; it may be away."""

    inner: Store | None
    asked: list[str] = field(default_factory=list)

    async def command(self, *arguments: Argument) -> object:
        self.asked.append(str(arguments[0]))
        if self.inner is None:
            raise StoreUnavailable
        return await self.inner.command(*arguments)

    async def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> object:
        raise AssertionError((script, keys, arguments))  # nothing of a fleet needs one


@dataclass(slots=True)
class World:
    """One sidecar's fleet, in a time of its own, over a real Redis."""

    redis: redis.asyncio.Redis
    store: Counted
    clock: ManualClock
    fleets: Fleets
    news: News
    fleet: LiveFleet

    async def tell(self, name: str) -> None:
        await self.redis.set(TOLD, fleet_of(replica(name)).model_dump_json())

    async def ask(self) -> None:
        """A request comes, and knows afterwards what is known."""
        await self.fleets.fresh((FOUND,))

    async def round(self, seconds: float = LOOK_SECONDS) -> list[str]:
        """What Redis is asked, so much later."""
        self.clock.now += seconds
        self.store.asked.clear()
        await self.news._round()
        return [*self.store.asked]

    async def demand(self) -> Demand | None:
        data = await self.redis.hget(GROUP.demand, ME)
        return decode_demand(data) if isinstance(data, bytes) else None

    def ready(self) -> int | None:
        situation = self.fleet.situation(LLAMA)
        return situation and situation.ready


@asynccontextmanager
async def world(url: str, where: Callable[[Store], Place | None]) -> AsyncIterator[World]:
    clock = ManualClock()
    fleets = Fleets(clock, Random(1), first_look_seconds=5)
    async with opened(url) as inner, redis.asyncio.Redis.from_url(url) as client:
        store = Counted(inner)
        news = News(fleets, ME, lambda: where(store), Random(1))
        yield World(client, store, clock, fleets, news, fleets.of(FOUND.provider))


def here(store: Store) -> Place:
    return Place(store, "test", "shop", frozenset({"team/ollama"}))


@pytest.fixture
async def shared(redis_url: str) -> AsyncIterator[World]:
    async with world(redis_url, here) as found:
        yield found


async def test_the_first_request_finds_replicas_and_the_next_ask_nobody(shared: World) -> None:
    await shared.tell("r1")
    running = asyncio.create_task(shared.news.run())
    try:
        for _ in range(20):
            await shared.ask()
            assert shared.ready() == 1
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert shared.store.asked == ["GET"]


async def test_redis_is_asked_once_a_second_while_requests_come_and_else_never(
    shared: World,
) -> None:
    assert await shared.round() == []
    shared.clock.now += 1
    [watched] = shared.fleets.watched()
    watched.used_at = shared.clock.now
    assert [await shared.round(0.25) for _ in range(4)] == [["GET"], [], [], []]
    assert await shared.round(0.25) == ["GET"]
    assert await shared.round(QUIET_SECONDS) == []


async def test_demand_is_told_each_second_while_it_lasts_then_once_more_then_taken_away(
    shared: World,
) -> None:
    shared.fleet.heard(fleet_of(replica("r1")))
    callers = Callers(shared.fleet)
    await callers.come(0)
    await callers.come(1)
    assert "HSET" in await shared.round(0)
    demand = await shared.demand()
    assert demand
    assert (demand.in_flight, demand.waiting, demand.at) == ({LLAMA: 1}, {LLAMA: 1}, 1_000.0)
    assert demand.at_replicas == {"r1": 1}
    assert "HSET" not in await shared.round(0.5)
    assert "HSET" in await shared.round(0.5)
    await callers.cancel(1)
    await callers.go(0)
    await shared.round(LASTING_SECONDS)
    demand = await shared.demand()
    assert demand
    assert (demand.in_flight, demand.waiting) == ({}, {})
    assert await shared.round() == []
    assert await shared.round(DEMAND_STALE_SECONDS) == ["HDEL"]
    assert await shared.demand() is None
    assert await shared.round() == []


async def test_a_fleet_that_is_wanted_is_told_at_once(shared: World) -> None:
    shared.fleet.heard(fleet_of())
    running = asyncio.create_task(shared.news.run())
    callers = Callers(shared.fleet)
    try:
        await settle()
        await callers.come(0)
        await until(lambda: "HSET" in shared.store.asked)  # the clock stands still
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    demand = await shared.demand()
    assert demand
    assert demand.waiting == {LLAMA: 1}
    await callers.cancel(0)


async def test_who_ends_takes_his_word_back(shared: World) -> None:
    shared.fleet.wish(LLAMA)
    await shared.round(0)
    assert await shared.demand()
    await shared.news.farewell()
    assert await shared.demand() is None


async def test_without_redis_replicas_are_known_for_a_while_and_then_not(shared: World) -> None:
    await shared.tell("r1")
    [watched] = shared.fleets.watched()
    watched.used_at = float("inf")
    await shared.round()
    shared.store.inner = None
    await shared.round(10)
    assert shared.ready() == 1
    await shared.round(10)
    assert shared.ready() is None


async def test_what_redis_did_not_hear_is_said_again(shared: World) -> None:
    inner, shared.store.inner = shared.store.inner, None
    shared.fleet.wish(LLAMA)
    await shared.round(0)
    shared.store.inner = inner
    assert "HSET" in await shared.round(0.1)
    assert await shared.demand()


async def test_nonsense_in_redis_is_no_fleet(shared: World) -> None:
    await shared.redis.set(TOLD, "{")
    [watched] = shared.fleets.watched()
    watched.used_at = float("inf")
    assert await shared.round() == ["GET"]
    assert shared.ready() is None


async def test_a_request_is_not_held_up_where_no_redis_is_known(redis_url: str) -> None:
    async with world(redis_url, lambda _: Place(None, "test", "shop", frozenset())) as alone:
        running = asyncio.create_task(alone.news.run())
        await alone.ask()
        assert alone.ready() is None
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await alone.news.farewell()
        assert alone.store.asked == []
