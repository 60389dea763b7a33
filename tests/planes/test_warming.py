"""Answers made before anybody asks, at whole sidecars."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from penstock_config.cache import Cache, ExactCache, Warming
from penstock_config.cache_layout import warming
from penstock_config.policy import CallerLimit, Memory
from penstock_config.provider import RateLimits
from tests.planes.plane import NAMESPACE, Plane, chat, running_plane
from tests.sidecar.http.edge import exchange, head
from tests.sidecar.redis_store.conftest import until_it

STREAM = warming("test", NAMESPACE, "shop")
WARM = Cache(exact=ExactCache(ttl_seconds=600), warm=Warming(prompts=True))
PREDICT = Cache(exact=ExactCache(ttl_seconds=600), warm=Warming(predict=True))
PROMPTS = 6


@pytest.fixture
async def admin(redis_url: str) -> AsyncIterator[Any]:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        yield client


async def queue(admin: Any, *texts: str) -> None:
    for text in texts:
        await admin.xadd(STREAM, {"request": json.dumps(chat(text))})


async def waiting(admin: Any) -> int | None:
    """How many were claimed and are not done; None while some are not even claimed."""
    for group in await admin.xinfo_groups(STREAM):
        [(last, _)] = await admin.xrevrange(STREAM, count=1)
        return int(group["pending"]) if group["last-delivered-id"] == last else None
    return None


async def until_waiting(admin: Any, count: int) -> None:
    async def so_many() -> bool:
        return await waiting(admin) == count

    async with asyncio.timeout(30):
        await until_it(so_many)


async def test_two_sidecars_ask_each_prompt_once_and_callers_find_the_answers(
    tmp_path: Path, redis_url: str, admin: Any
) -> None:
    texts = [f"prompt {number}" for number in range(PROMPTS)]
    await queue(admin, *texts)
    async with AsyncExitStack() as stack:
        planes = []
        for name in ("one", "two"):
            folder = tmp_path / name
            folder.mkdir()
            planes.append(
                await stack.enter_async_context(
                    running_plane(folder, redis_url, written=False, pod_name=name)
                )
            )
        await asyncio.gather(*(plane.publish(plane.config(cache=WARM)) for plane in planes))
        await until_waiting(admin, 0)
        asked = [seen for plane in planes for seen in plane.main.requests]
        assert len(asked) == PROMPTS
        for plane in planes:
            for text in texts:
                hit = await plane.ask(chat(text))
                assert hit.headers["x-penstock-cache"] == "hit-exact"
        assert sum(len(plane.main.requests) for plane in planes) == PROMPTS


async def test_limits_apply_and_what_they_refuse_is_left_to_be_claimed_again(
    plane: Plane, admin: Any
) -> None:
    limits = RateLimits(requests_per_minute=1, window_seconds=60)
    await queue(admin, "first", "second")
    limit = CallerLimit(name="app", per="App", limits=limits)
    await plane.publish(plane.config(cache=WARM, limits=(limit,)))
    await until_waiting(admin, 1)
    assert len(plane.main.requests) == 1


async def test_a_prompt_that_is_none_does_not_stop_the_others(plane: Plane, admin: Any) -> None:
    await admin.xadd(STREAM, {"request": "{"})
    await queue(admin, "good")
    await plane.publish(plane.config(cache=WARM))
    await until_waiting(admin, 0)
    assert len(plane.main.requests) == 1


async def test_a_policy_that_warms_nothing_leaves_the_stream_alone(
    plane: Plane, admin: Any
) -> None:
    await queue(admin, "nobody asks this")
    await plane.publish(plane.config(cache=Cache(exact=ExactCache(ttl_seconds=600))))
    assert (await plane.ask(chat())).status == 200
    assert await admin.xinfo_groups(STREAM) == []
    assert len(plane.main.requests) == 1


async def test_what_usually_follows_is_there_before_it_is_asked(plane: Plane) -> None:
    await plane.publish(plane.config(cache=PREDICT))
    for _ in range(3):
        for text in ("first", "then"):
            await plane.ask(chat(text))
    await exchange(plane.ports.application, head("DELETE", "/v1/cache?all=true"))
    await plane.ask(chat("first"))
    async with asyncio.timeout(30):
        foreseen = await plane.main.request(4)
    assert foreseen.body["messages"] == chat("then")["messages"]

    async def there() -> bool:
        return (await plane.ask(chat("then"))).headers["x-penstock-cache"] == "hit-exact"

    async with asyncio.timeout(30):
        await until_it(there)


async def test_a_sessions_turn_is_not_asked_for_ahead(plane: Plane) -> None:
    """It would be remembered as said twice."""
    session = {"x-penstock-user": "ann", "x-penstock-session": "s1"}
    await plane.publish(plane.config(cache=PREDICT, memory=Memory()))
    for _ in range(3):
        for text in ("first", "then"):
            await plane.ask(chat(text))
    await plane.ask(chat("then"), **session)
    await plane.ask(chat("first"))
    runtime = plane.sidecar._holder.peek()
    assert runtime
    assert runtime.pipeline
    assert runtime.pipeline.warming
    await runtime.pipeline.warming._ahead.settled()
    await plane.ask(chat("next"), **session)
    body: Any = plane.main.requests[-1].body
    said = [message["content"] for message in body["messages"]]
    assert (len(said), said[0], said[-1]) == (3, "then", "next")


async def test_nobody_pays_for_what_another_one_may_ask(plane: Plane) -> None:
    ann, bob = {"x-penstock-user": "ann"}, {"x-penstock-user": "bob"}
    limits = RateLimits(requests_per_minute=10, window_seconds=60)
    each = CallerLimit(name="each", per="User", limits=limits)
    await plane.publish(plane.config(cache=PREDICT, limits=(each,)))
    for _ in range(3):
        for text in ("first", "then"):
            await plane.ask(chat(text), **ann)
    await plane.ask(chat("then"), **bob)
    await exchange(plane.ports.application, head("DELETE", "/v1/cache?all"))
    await plane.ask(chat("first"), **ann)
    runtime = plane.sidecar._holder.peek()
    assert runtime
    assert runtime.pipeline
    assert runtime.pipeline.warming
    await runtime.pipeline.warming._ahead.settled()
    own = await plane.ask(chat("another"), **bob)
    assert own.headers["x-ratelimit-remaining-requests"] == "9"
