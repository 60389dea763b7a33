"""AT6: Redis cut or frozen: requests go on, the pod stays alive, and it comes back alone."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from penstock_cli.stub import Ok
from penstock_config.budget import Amounts, Budget
from penstock_config.layout import Group
from penstock_config.policy import CallerLimit, Target
from penstock_config.provider import RateLimits
from penstock_config.schema import SidecarConfig
from tests.planes.plane import NAMESPACE, Plane, chat, running_plane
from tests.planes.relay import Relay, relay
from tests.sidecar.http.edge import Response, connection, post
from tests.sidecar.limits.books import Books

LIMIT = CallerLimit(name="app", per="App", limits=RateLimits(requests_per_minute=1000))
REQUESTS = 20


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Relay]:
    async with relay(redis_url) as running:
        yield running


@pytest.fixture
async def plane(tmp_path: Path, redis: Relay) -> AsyncIterator[Plane]:
    async with running_plane(tmp_path, redis.url) as running:
        await running.publish(running.config(limits=(LIMIT,)))
        yield running


async def ask_many(plane: Plane) -> list[Response]:
    return await asyncio.gather(*(plane.ask(chat(str(n))) for n in range(REQUESTS)))


async def until_redis_is(plane: Plane, *, available: bool) -> None:
    async with asyncio.timeout(20):
        while (await plane.state())["redis_available"] is not available:
            assert (await plane.probe("/healthz")).status == 200


async def away(redis: Relay, how: str) -> None:
    if how == "cut":
        await redis.cut()
    else:
        redis.freeze()


@pytest.mark.parametrize("how", ["cut", "frozen"])
async def test_a_closed_policy_says_that_the_limiter_is_unavailable(
    plane: Plane, redis: Relay, how: str
) -> None:
    await plane.publish(plane.config(limits=(LIMIT,), on_redis_loss="Closed"))
    await away(redis, how)
    response = await plane.ask(chat())
    assert (response.status, response.error["code"]) == (503, "limiter_unavailable")
    assert response.headers["retry-after"] in {"1", "2"}
    assert (await plane.probe("/readyz")).status == 200
    assert plane.main.requests == []


async def test_the_state_says_that_redis_is_away(plane: Plane, redis: Relay) -> None:
    await redis.cut()
    await until_redis_is(plane, available=False)
    assert b"penstock_redis_available 0.0" in (await plane.probe("/metrics")).body
    assert json.loads((await plane.probe("/readyz")).body) == {"status": "ready"}


def budgeted(plane: Plane, **changes: Any) -> SidecarConfig:
    budget = Budget(id=f"{NAMESPACE}/all", limits=Amounts(total=10**9))
    return plane.config(**changes).model_copy(update={"budgets": (budget,)})


async def test_what_was_used_is_told_after_a_reload_while_redis_was_away(
    plane: Plane, redis: Relay, redis_url: str
) -> None:
    """A configuration that retires keeps its books until Redis has heard them."""
    await plane.publish(budgeted(plane))
    word = asyncio.Semaphore(1)
    plane.main.always(Ok(text="one two", each=word))
    async with connection(plane.ports.application) as (reader, writer):
        writer.write(post(json.dumps(chat(stream=True)).encode()))
        await reader.readuntil(b"one")
        await redis.cut()
        await until_redis_is(plane, available=False)
        word.release()
        assert b"[DONE]" in await reader.readuntil(b"0\r\n\r\n")
    await plane.publish(budgeted(plane, default=Target(denied="changed")))
    await redis.mend()
    await until_redis_is(plane, available=True)
    books = Books(redis_url)
    namespace = Group.of_namespace("test", NAMESPACE)
    async with asyncio.timeout(20):
        while books.money(namespace, f"{NAMESPACE}/all")["R"]:
            await plane.probe("/readyz")
    money = books.money(namespace, f"{NAMESPACE}/all")
    assert (money["S"] > 0, money["U"]) == (True, 0)


async def test_a_reload_while_redis_is_away_admits_nothing_twice(
    plane: Plane, redis: Relay
) -> None:
    limit = CallerLimit(name="app", per="App", limits=RateLimits(requests_per_minute=10))
    await redis.cut()
    await until_redis_is(plane, available=False)
    admitted = 0
    for number in range(3):
        default = Target(denied=f"change {number}")
        await plane.publish(plane.config(limits=(limit,), default=default))
        admitted += sum(response.status == 200 for response in await ask_many(plane))
    assert admitted == 9, "nine tenths of the limit"
