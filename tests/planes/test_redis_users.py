"""Sidecars as the Redis users that the operator makes for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
import redis
from pydantic import SecretStr

from penstock_config.credentials import RedisAccess
from penstock_config.fleet import Fleet
from penstock_config.layout import Group
from penstock_config.provider import Managed, RateLimits
from penstock_config.schema import SidecarConfig
from penstock_operator.handlers.redis_logins import tags_of
from penstock_operator.ledger.users import User, Users
from penstock_operator.settings import Settings
from penstock_sidecar.clock import SystemClock
from penstock_sidecar.errors import RateLimited
from penstock_sidecar.fleet import Fleets, News, Place
from penstock_sidecar.redis_store import RedisStore, connect
from penstock_sidecar.store import StoreUnavailable
from tests.sidecar.limits.world import (
    budget,
    candidate,
    config,
    limiter,
    per_app,
    provider,
    serve,
)
from tests.sidecar.redis_store.conftest import until

PATIENCE_SECONDS = 5


@pytest.fixture
async def users(each_redis_url: str) -> AsyncIterator[Users]:
    """An operator's; they are gone in the end."""
    found = Users(Settings(cluster="test", redis_url=each_redis_url))
    yield found
    await found.put([], keep=())


def user(settings: SidecarConfig) -> User:
    return User.of_namespace("test", settings.namespace, "hush", tags_of(settings))


@asynccontextmanager
async def store_of(url: str, who: User) -> AsyncIterator[RedisStore]:
    access = RedisAccess(url=url, username=who.name, password=SecretStr(who.password))
    opened = await connect(access, deadline_seconds=PATIENCE_SECONDS)
    try:
        yield opened
    finally:
        await opened.close()


async def test_a_limiter_works_as_its_namespaces_user(each_redis_url: str, users: Users) -> None:
    cloud = provider(limits=RateLimits(requests_per_minute=100, concurrent_requests=5))
    limits = (per_app(RateLimits(requests_per_minute=3, tokens_per_day=100_000)),)
    settings = config((cloud,), limits, (budget(),))
    await users.put([user(settings)])
    async with store_of(each_redis_url, user(settings)) as store:
        desk = limiter(settings, store)
        for _ in range(3):
            await serve(desk, candidate(cloud))
        with pytest.raises(RateLimited):
            await serve(desk, candidate(cloud))
        await desk.settled()
        assert store.available
    with redis.Redis.from_url(each_redis_url, decode_responses=True) as admin:
        spent = admin.hgetall("{test:n:shop}:state")
    assert [int(v) for k, v in spent.items() if k.endswith(":S") and "daily" in k] == [51]


async def test_a_provider_that_comes_later_is_counted_by_a_sidecar_that_runs(
    each_redis_url: str, users: Users
) -> None:
    limits = RateLimits(requests_per_minute=100)
    first, later = provider(limits=limits), provider(id="other/cloud", limits=limits)
    before, after = config((first,)), config((first, later))
    await users.put([user(before)])
    async with store_of(each_redis_url, user(before)) as store:
        await serve(limiter(before, store), candidate(first))
        with pytest.raises(StoreUnavailable, match="NOPERM"):
            await store.command("GET", Group.of_provider("test", later.id).state)
        await users.put([user(after)])
        desk = limiter(after, store)
        await serve(desk, candidate(later))
        await desk.settled()
    with redis.Redis.from_url(each_redis_url) as admin:
        assert admin.exists(Group.of_provider("test", later.id).state)


async def test_a_fleet_is_heard_and_told_of_as_its_namespaces_user(
    each_redis_url: str, users: Users
) -> None:
    own = provider(id="shop/own", managed=Managed(may_be_cold=True))
    settings, group = config((own,)), Group.of_provider("test", own.id)
    await users.put([user(settings)])
    with redis.Redis.from_url(each_redis_url) as admin:
        told = Group.of_namespace("test", settings.namespace).fleet(own.id)
        admin.set(told, Fleet(at=0).model_dump_json())
        async with store_of(each_redis_url, user(settings)) as store:
            place = Place(store, "test", settings.namespace, frozenset({own.id}))
            fleets = Fleets(SystemClock(), Random(1), first_look_seconds=PATIENCE_SECONDS)
            news, fleet = News(fleets, "me", lambda: place), fleets.of(own)
            others = Group.of_namespace("test", "other").fleet(own.id)
            with pytest.raises(StoreUnavailable, match="NOPERM"):
                await store.command("SET", others, "elsewhere")
            fleet.wish("small")
            running = asyncio.create_task(news.run())
            await fleets.fresh((candidate(own),))
            assert fleet.situation("small") == (0, 0)
            await until(lambda: admin.hget(group.demand, "me"))
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await news.farewell()
        assert admin.hget(group.demand, "me") is None
