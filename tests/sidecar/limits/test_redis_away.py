"""What a policy's `onRedisLoss` does, and that nothing is lost meanwhile."""

from math import inf
from typing import Any, Literal

import pytest

from penstock_config.provider import Price, RateLimits
from penstock_sidecar.errors import (
    BudgetUnknown,
    ConcurrencyLimited,
    LimiterUnavailable,
    RateLimited,
    UpstreamLimited,
)
from penstock_sidecar.limits.limiter import Limiter
from penstock_sidecar.limits.scripts import PUBLISH
from penstock_sidecar.model import Candidate, Chunk, Usage
from penstock_sidecar.redis_store import RedisStore
from penstock_sidecar.store import Argument, Script, StoreUnavailable
from tests.sidecar.limits import world
from tests.sidecar.limits.books import Books

FREE = Price(input_token=0, output_token=0)
DONE = Chunk(b"", content=True, usage=Usage(7, 5), end=True)


async def serve(limiter: Limiter, candidate: Candidate | None = None) -> None:
    ticket = limiter.ticket(world.CALLER, world.request())
    async with ticket, ticket.attempt(candidate or world.candidate()) as attempt:
        attempt.sent()
        attempt.saw(DONE)


async def admitted(limiter: Limiter, candidate: Candidate | None = None) -> int:
    """How many of a hundred are let through."""
    count = 0
    for _ in range(100):
        try:
            await serve(limiter, candidate)
        except (RateLimited, UpstreamLimited):
            continue
        count += 1
    return count


def limiter(limits: RateLimits, **policy: Any) -> Limiter:
    return world.limiter(world.config(limits=(world.per_app(limits),), **policy), None)


async def test_a_local_share_is_nine_tenths_divided() -> None:
    stage = limiter(RateLimits(requests_per_minute=50), sidecars=4)
    assert await admitted(stage) == 11
    await stage.close()


async def test_a_share_of_less_than_one_denies() -> None:
    stage = limiter(RateLimits(requests_per_minute=4), sidecars=4)
    assert await admitted(stage) == 0
    await stage.close()


async def test_open_admits_everything_and_closed_nothing() -> None:
    stage = limiter(RateLimits(requests_per_minute=1), on_redis_loss="Open")
    assert await admitted(stage) == 100
    await stage.close()
    stage = limiter(RateLimits(requests_per_minute=1000), on_redis_loss="Closed")
    with pytest.raises(LimiterUnavailable):
        await serve(stage)
    await stage.close()


@pytest.mark.parametrize("rule", ["LocalShare", "Open", "Closed"])
async def test_a_providers_limits_are_always_shared_out(
    rule: Literal["LocalShare", "Open", "Closed"],
) -> None:
    cloud = world.provider(limits=RateLimits(requests_per_day=50), sidecars=4)
    stage = world.limiter(world.config((cloud,), on_redis_loss=rule), None)
    assert await admitted(stage, world.candidate(cloud)) == 11
    await stage.close()


async def test_slots_are_shared_out_and_given_back() -> None:
    stage = limiter(RateLimits(concurrent_requests=3), sidecars=2)
    ticket = stage.ticket(world.CALLER, world.request())
    async with ticket, ticket.attempt(world.candidate()):
        with pytest.raises(ConcurrencyLimited):
            await serve(stage)
    await serve(stage)
    await stage.close()


async def test_money_is_refused_and_what_is_free_goes_on() -> None:
    local = world.provider(id="shop/local", price=FREE)
    settings = world.config((world.provider(), local), budgets=(world.budget(),))
    stage = world.limiter(settings, None)
    with pytest.raises(BudgetUnknown):
        await serve(stage)
    await serve(stage, world.candidate(local))
    await stage.close()


class Flaky:
    """A store that fails for so many calls: `deaf` hears nothing, `mute` hears and does not say."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self.way: Literal["deaf", "mute"] = "deaf"
        self.failures = 0.0

    async def command(self, *arguments: Argument) -> object:
        return await self._store.command(*arguments)

    async def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> object:
        failing = self.failures > 0 and script is not PUBLISH
        self.failures -= failing
        if failing and self.way == "deaf":
            raise StoreUnavailable("deaf")
        reply = await self._store.script(script, keys, arguments)
        if failing:
            raise StoreUnavailable("mute")
        return reply


@pytest.mark.parametrize("way", ["deaf", "mute"])
async def test_a_settlement_is_told_when_redis_is_back(
    store: RedisStore, books: Books, way: Literal["deaf", "mute"]
) -> None:
    """It was heard and the answer lost, or it was not heard: it counts once."""
    flaky = Flaky(store)
    stage = world.limiter(world.config(budgets=(world.budget(),)), flaky)
    ticket = stage.ticket(world.CALLER, world.request())
    async with ticket, ticket.attempt(world.candidate()) as attempt:
        attempt.saw(DONE)
        flaky.way, flaky.failures = way, 1
    await stage.close()
    assert books.money() == {"S": 17, "R": 0, "U": 0}


async def test_an_acquire_whose_answer_was_lost_holds_nothing(
    store: RedisStore, books: Books
) -> None:
    flaky = Flaky(store)
    limits = RateLimits(requests_per_minute=9, concurrent_requests=2)
    settings = world.config(
        limits=(world.per_app(limits),), budgets=(world.budget(),), on_redis_loss="Closed"
    )
    stage = world.limiter(settings, flaky)
    await serve(stage)
    await stage.settled()
    spent = books.money()["S"]
    flaky.way, flaky.failures = "mute", 1
    with pytest.raises(LimiterUnavailable):
        await serve(stage)
    await stage.close()
    assert books.money() == {"S": spent, "R": 0, "U": 0}
    assert (books.subject_counts("rpm60"), books.slots()) == ([1], 0)


async def test_what_redis_will_not_hear_is_given_up_in_the_end(
    store: RedisStore, caplog: pytest.LogCaptureFixture
) -> None:
    flaky = Flaky(store)
    stage = world.limiter(world.config(budgets=(world.budget(),)), flaky)
    ticket = stage.ticket(world.CALLER, world.request())
    async with ticket, ticket.attempt(world.candidate()) as attempt:
        attempt.saw(DONE)
        flaky.failures = inf
    await stage.close()
    assert [record.msg for record in caplog.records] == ["limits.settlements_lost"]
