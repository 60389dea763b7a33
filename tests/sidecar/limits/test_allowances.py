"""Money put aside while Redis is there, for when it is not."""

import asyncio
from typing import Any

import pytest

from penstock_config.budget import Amounts
from penstock_sidecar.errors import BudgetUnknown
from penstock_sidecar.limits.limiter import Limiter
from penstock_sidecar.model import Chunk, Usage
from penstock_sidecar.redis_store import RedisStore
from tests.servers import eventually
from tests.sidecar.limits import world
from tests.sidecar.limits.books import Books
from tests.sidecar.limits.world import Switched

DONE = Chunk(b"", content=True, usage=Usage(7, 5), finish="stop", end=True)
COST = 17


async def serve(limiter: Limiter) -> None:
    ticket = limiter.ticket(world.CALLER, world.request())
    async with ticket, ticket.attempt(world.candidate()) as attempt:
        attempt.saw(DONE)


async def spend_until_put_aside(limiter: Limiter) -> int:
    """Returns how many requests were served; nothing but the allowance is reserved then."""
    served = 0
    async with asyncio.timeout(20):
        while True:
            await serve(limiter)
            served += 1
            await asyncio.sleep(0.01)
            if any(each.stock for each in limiter._desk.allowances._by_bounds.values()):
                await asyncio.gather(*limiter._desk.settlements._tasks)
                return served


def spending(store: Switched, **changes: Any) -> Limiter:
    budget = world.budget(limits=Amounts(daily=1_000_000))
    return world.limiter(world.config(budgets=(budget,), **changes), store)


async def test_what_was_put_aside_can_be_spent_and_no_more(store: RedisStore, books: Books) -> None:
    switched = Switched(store)
    limiter = spending(switched)
    served = await spend_until_put_aside(limiter)
    aside = books.money()["R"]
    switched.away = True
    while True:
        try:
            await serve(limiter)
        except BudgetUnknown:
            break
        served += 1
        assert served * COST < 1_000_000
    assert 0 < (served * COST) <= books.money()["S"] + aside
    switched.away = False
    await limiter.close()
    assert books.money() == {"S": served * COST, "R": 0, "U": 0}


async def test_who_spends_no_more_gives_it_back(store: RedisStore, books: Books) -> None:
    limiter = spending(Switched(store))
    await spend_until_put_aside(limiter)
    await asyncio.to_thread(eventually, lambda: books.money()["R"] == 0, "it is given back")
    await limiter.close()


async def test_nothing_is_put_aside_of_the_last_fifth(store: RedisStore, books: Books) -> None:
    budget = world.budget(limits=Amounts(daily=40 * COST))
    limiter = world.limiter(world.config(budgets=(budget,)), Switched(store))
    for _ in range(36):
        await serve(limiter)
    await limiter.settled()
    await limiter._desk.allowances.upkeep()
    assert books.money() == {"S": 36 * COST, "R": 0, "U": 0}
    await limiter.close()


@pytest.mark.parametrize("policy", ["Open", "Closed"])
async def test_only_local_shares_put_anything_aside(
    store: RedisStore, books: Books, policy: str
) -> None:
    limiter = spending(Switched(store), on_redis_loss=policy)
    for _ in range(5):
        await serve(limiter)
    await limiter.settled()
    await limiter._desk.allowances.upkeep()
    assert books.money()["R"] == 0
    await limiter.close()
