"""What began while Redis was away, and cost nobody knows what, counts as much as it can have."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from penstock_config.budget import Amounts
from penstock_config.provider import RateLimits
from penstock_sidecar.errors import BudgetUnknown
from penstock_sidecar.limits import settlements
from penstock_sidecar.limits.limiter import Limiter
from penstock_sidecar.redis_store import RedisStore
from tests.sidecar.limits import world
from tests.sidecar.limits.books import PROVIDER, Books
from tests.sidecar.limits.world import Switched

COST = 17
"""Of `world.DONE`."""
BOUND = 50
"""Of `world.request`: 30 bytes in, 10 tokens out."""
SOME = 20
"""Requests that let a sidecar put money aside."""


def spending(store: Switched, *, wide: bool = False, on_redis_loss: str = "LocalShare") -> Limiter:
    amounts = Amounts(daily=1_000_000)
    providers = ("shop/cloud",) if wide else ()
    budget = world.budget(limits=amounts, provider_wide=wide, providers=providers)
    provider = world.provider(limits=RateLimits(concurrent_requests=100))
    config = world.config((provider,), budgets=(budget,), on_redis_loss=on_redis_loss)
    return world.limiter(config, store)


def books_of(books: Books, *, wide: bool) -> dict[str, int]:
    return books.money(PROVIDER) if wide else books.money()


async def put_aside(limiter: Limiter) -> None:
    """As it is done while requests come."""
    await limiter._desk.allowances.upkeep()
    for _ in range(SOME):
        await world.serve(limiter)
    await limiter._desk.settlements.settled()
    await limiter._desk.allowances.upkeep()


async def use_up(limiter: Limiter) -> None:
    """All that was put aside."""
    with suppress(BudgetUnknown):
        while True:
            await world.serve(limiter)


@asynccontextmanager
async def lost(limiter: Limiter) -> AsyncIterator[None]:
    """A request whose answer nobody will see."""
    ticket = limiter.ticket(world.CALLER, world.request())
    with suppress(ConnectionResetError):
        async with ticket, ticket.attempt(world.candidate()) as attempt:
            attempt.sent()
            yield
            raise ConnectionResetError


@pytest.mark.parametrize("wide", [False, True], ids=["namespace", "provider-wide"])
@pytest.mark.parametrize("on_redis_loss", ["LocalShare", "Open"])
@pytest.mark.parametrize("sent", [False, True], ids=["unsent", "perhaps heard"])
async def test_a_cost_that_nobody_knows_is_unsettled_once_redis_is_back(
    store: RedisStore, books: Books, on_redis_loss: str, wide: bool, sent: bool
) -> None:
    """Also where what was asked is given up, because it may have been taken."""
    switched = Switched(store, sent=sent)
    limiter = spending(switched, wide=wide, on_redis_loss=on_redis_loss)
    await put_aside(limiter)
    switched.away = True
    async with lost(limiter):
        pass
    await world.serve(limiter)
    switched.away = False
    await limiter.settled()
    assert books_of(books, wide=wide) == {"S": (SOME + 1) * COST, "R": 0, "U": BOUND}
    await limiter.close()


async def test_where_redis_is_back_before_the_end_nothing_counts_twice(
    store: RedisStore, books: Books
) -> None:
    """Renewals take it again, and then it ends as any other."""
    switched = Switched(store)
    limiter = spending(switched, on_redis_loss="Open")
    switched.away = True
    async with lost(limiter):
        switched.away = False
        await limiter._desk.renewals.retake("{test:n:shop}")
        assert books.money() == {"S": 0, "R": BOUND, "U": 0}
    await limiter.settled()
    assert books.money() == {"S": 0, "R": 0, "U": BOUND}
    await limiter.close()


async def test_money_put_aside_stays_reserved_while_somebody_draws_of_it(
    store: RedisStore, books: Books
) -> None:
    switched = Switched(store)
    limiter = spending(switched)
    await put_aside(limiter)
    aside = books.money()["R"]
    switched.away = True
    async with world.serving(limiter):
        switched.away = False
        await limiter.settled()
        assert books.money() == {"S": SOME * COST, "R": aside, "U": 0}
    await limiter.settled()
    assert books.money() == {"S": (SOME + 1) * COST, "R": 0, "U": 0}
    await limiter.close()


async def test_nothing_is_given_back_before_redis_knows_what_was_spent_of_it(
    store: RedisStore, books: Books
) -> None:
    switched = Switched(store)
    limiter = spending(switched)
    await put_aside(limiter)
    aside = books.money()["R"]
    switched.away = True
    await use_up(limiter)
    await asyncio.gather(*limiter._desk.settlements._tasks)
    assert limiter._desk.settlements.journal_length
    switched.away = False
    await limiter._desk.allowances.upkeep()
    await asyncio.gather(*limiter._desk.settlements._tasks)
    assert books.money()["R"] == aside
    await limiter.close()


async def test_what_was_put_aside_stays_reserved_where_redis_never_hears_what_was_lost(
    store: RedisStore, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It expires then, and is unsettled: more than what was lost, never less."""
    monkeypatch.setattr(settlements, "FLUSH_SECONDS", 0.01)
    switched = Switched(store)
    limiter = spending(switched)
    await put_aside(limiter)
    aside = books.money()["R"]
    switched.away = True
    async with lost(limiter):
        pass
    await limiter.close()
    assert books.money()["R"] == aside >= BOUND
