"""What counts as heard while Redis is away, and after it."""

from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from penstock_config.heartbeat import EXPIRY_SECONDS, encode_heartbeat
from penstock_config.layout import Group
from penstock_operator.handlers.hearing import Hearing
from penstock_operator.ledger.store import Store, opened
from penstock_operator.settings import Settings
from tests.fakes.proxy import Proxy, proxied
from tests.operator.delivery.seen import beat, pod

PODS = {"shop": [pod("a"), pod("b")]}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def way(redis_url: str) -> AsyncIterator[Proxy]:
    async with proxied(redis_url) as found:
        yield found


@pytest.fixture
async def store(way: Proxy) -> AsyncIterator[Store]:
    async with opened(Settings(redis_url=way.url)) as found:
        yield found


@pytest.fixture
async def books(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        await client.set(Group.of_namespace("test", "shop").pod("uid-a"), encode_heartbeat(beat()))
        yield client


async def test_who_is_silent_is_heard_as_silent(store: Store, books: redis.asyncio.Redis) -> None:
    assert await books.dbsize() == 1
    assert await Hearing("test", Clock()).hear(store, PODS) == {"uid-a": beat(), "uid-b": None}


async def test_a_short_outage_changes_nothing_and_a_long_one_leaves_nothing(
    store: Store, books: redis.asyncio.Redis, way: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    hearing = Hearing("test", clock)
    before = await hearing.hear(store, PODS)
    await way.cut()
    clock.now = EXPIRY_SECONDS - 1
    assert await hearing.hear(store, PODS) == before
    clock.now = EXPIRY_SECONDS
    assert await hearing.hear(store, PODS) == {}
    assert [record.message for record in caplog.records] == ["heartbeats.away"]
    await books.flushall()
    await way.mend()


async def test_a_redis_that_comes_back_empty_makes_nobody_silent_until_all_could_speak(
    store: Store, books: redis.asyncio.Redis, way: Proxy
) -> None:
    clock = Clock()
    hearing = Hearing("test", clock)
    await hearing.hear(store, PODS)
    await way.cut()
    clock.now = 100
    await hearing.hear(store, PODS)
    await books.flushall()
    await way.mend()
    assert await hearing.hear(store, PODS) == {}, "nothing is known yet"
    clock.now += EXPIRY_SECONDS
    assert await hearing.hear(store, PODS) == {"uid-a": None, "uid-b": None}


async def test_without_a_redis_nothing_is_heard() -> None:
    assert await Hearing("test", Clock()).hear(None, PODS) == {}
