"""Prompts into a stream, once for each time: on real servers."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
from redis.exceptions import NoPermissionError

from penstock_config.acl import cache_tag
from penstock_config.cache_layout import MAX_WARMING, WARMING_MS, warming
from penstock_operator.ledger.store import Store, opened
from penstock_operator.ledger.users import User, Users
from penstock_operator.ledger.warming import Enqueued, enqueue
from penstock_operator.settings import Settings
from tests.servers import any_server, cluster

SIX = datetime(2026, 11, 20, 6, tzinfo=UTC)
STREAM = warming("prod", "shop", "main")
ENTRIES = [("prompt", "Wo seid ihr? 🙂".encode()), ("request", b'{"messages": [{}]}')]


async def queue(store: Store, at: datetime = SIX, policy: str = "shop/main") -> Enqueued:
    return await enqueue(store, "prod", policy, at, ENTRIES)


async def texts(books: redis.asyncio.Redis) -> list[Any]:
    """What lies in the stream, oldest first."""
    return [fields for _, fields in await books.xrange(STREAM) or ()]


async def test_prompts_come_in_their_order(store: Store, books: redis.asyncio.Redis) -> None:
    assert await queue(store) == Enqueued(now=True, count=2)
    assert await texts(books) == [{"prompt": "Wo seid ihr? 🙂"}, {"request": '{"messages": [{}]}'}]


async def test_a_time_is_queued_once_whoever_asks(store: Store, books: redis.asyncio.Redis) -> None:
    done = await asyncio.gather(*(queue(store) for _ in range(8)))
    assert sorted(each.now for each in done) == [False] * 7 + [True]
    assert {each.count for each in done} == {2}
    assert await books.xlen(STREAM) == 2


async def test_another_time_and_another_policy_are_queued_by_themselves(
    store: Store, books: redis.asyncio.Redis
) -> None:
    for at, policy in (
        (SIX, "shop/main"),
        (SIX + timedelta(minutes=1), "shop/main"),
        (SIX, "shop/other"),
        (SIX, "mall/main"),
    ):
        assert (await queue(store, at, policy)).now
    assert await books.xlen(STREAM) == 4
    assert await books.xlen(warming("prod", "mall", "main")) == 2


async def test_what_nobody_asks_is_bounded_in_number_and_in_time(
    store: Store, books: redis.asyncio.Redis
) -> None:
    many = [("prompt", b"%d" % number) for number in range(MAX_WARMING)]
    await enqueue(store, "prod", "shop/main", SIX, many)
    await queue(store, SIX + timedelta(minutes=1))
    assert await books.xlen(STREAM) == MAX_WARMING
    assert (await texts(books))[0] == {"prompt": "2"}
    assert WARMING_MS - 60_000 < await books.pttl(STREAM) <= WARMING_MS
    for key in await books.keys("*"):
        assert await books.pttl(key) > 0, key


async def test_the_namespace_s_sidecars_reach_the_stream_and_not_what_was_queued(
    store: Store, each_redis_url: str
) -> None:
    """Whoever could make the mark of a time would keep its prompts from being asked."""
    await queue(store)
    user = User.of_namespace("prod", "shop", "hush", [cache_tag("prod", "shop")])
    await Users(Settings(cluster="prod", redis_url=each_redis_url)).put([user])
    with redis.Redis.from_url(each_redis_url, decode_responses=True) as admin:
        (mark,) = {*admin.keys("*")} - {STREAM}
        login = {"username": user.name, "password": user.password}
        with redis.Redis.from_url(each_redis_url, **login) as sidecar:
            assert sidecar.exists(STREAM)
            with pytest.raises(NoPermissionError):
                sidecar.exists(mark)
        admin.execute_command("ACL", "DELUSER", user.name)


async def test_in_a_cluster_both_keys_are_in_one_slot(tmp_path: Path) -> None:
    with cluster(any_server(), tmp_path) as three:
        async with opened(Settings(cluster="prod", redis_url=three.url)) as store:
            for policy in ("shop/main", "shop/other", "mall/main"):
                assert (await queue(store, policy=policy)).now
                assert not (await queue(store, policy=policy)).now
