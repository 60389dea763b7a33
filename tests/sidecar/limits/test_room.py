"""What routing may know of limits: as last heard, and counted on."""

import asyncio

import pytest

from penstock_config.budget import Amounts
from penstock_config.provider import Provider, RateLimits
from penstock_sidecar.errors import BudgetExceeded, UpstreamLimited
from penstock_sidecar.limits.limiter import Limiter
from penstock_sidecar.redis_store import RedisStore
from penstock_sidecar.store import Store
from tests.sidecar.limits import world
from tests.sidecar.routing.builders import ManualClock

LIMITED = world.provider(limits=RateLimits(requests_per_minute=10, requests_per_day=100))
HERE = world.candidate(LIMITED)


def limiter(
    of: Provider, store: Store | None, clock: ManualClock | None = None, **changes: object
) -> Limiter:
    config = world.config(providers=(of,), **changes)  # type: ignore[arg-type]  # a builder's
    return world.limiter(config, store, memory=world.memory(clock))


def lacking(room: Limiter) -> str | None:
    return room.room.lacking(HERE, world.request(), 10)


async def test_who_has_no_limits_has_all_left() -> None:
    open_ = world.provider()
    room = limiter(open_, None).room
    assert room.share_left(world.candidate(open_)) == 1.0
    assert room.lacking(world.candidate(open_), world.request(), 10**9) is None


async def test_the_tightest_limit_says_what_is_left(store: RedisStore) -> None:
    asked = limiter(LIMITED, store)
    for used in range(1, 4):
        await world.serve(asked, HERE)
        assert asked.room.share_left(HERE) == pytest.approx(1 - used / 10, abs=0.01)
    await asked.settled()
    await asked.close()


async def test_what_a_request_would_take_is_taken_off(store: RedisStore) -> None:
    small = world.provider(limits=RateLimits(requests_per_minute=10, tokens_per_day=100_000))
    asked, here = limiter(small, store), world.candidate(small)
    assert asked.room.share_left(here, 100) == pytest.approx(0.9, abs=0.01)
    assert asked.room.share_left(here, 30_000) == pytest.approx(0.7, abs=0.01)
    assert asked.room.share_left(here, 200_000) == 0.5, "no reservation takes more than half"
    await asked.settled()
    await asked.close()


async def test_what_others_took_is_heard_with_the_next_answer(store: RedisStore) -> None:
    one, other = limiter(LIMITED, store), limiter(LIMITED, store)
    for _ in range(6):
        await world.serve(one, HERE)
    assert other.room.share_left(HERE) == 1.0
    await world.serve(other, HERE)
    assert other.room.share_left(HERE) == pytest.approx(0.3, abs=0.02)
    await asyncio.gather(one.close(), other.close())


async def test_a_limit_that_is_used_up_is_known_before_anybody_asks(store: RedisStore) -> None:
    asked = limiter(LIMITED, store)
    for _ in range(10):
        assert lacking(asked) is None
        await world.serve(asked, HERE)
    with pytest.raises(UpstreamLimited):
        await world.serve(asked, HERE)
    assert lacking(asked) == "headroom"
    await asked.close()


async def test_a_request_is_counted_while_it_is_asked_for_and_not_twice(store: RedisStore) -> None:
    asked = limiter(LIMITED, store)
    started = [asyncio.ensure_future(world.serve(asked, HERE)) for _ in range(4)]
    await asyncio.sleep(0)
    assert asked.room.share_left(HERE) == pytest.approx(0.6, abs=0.01)
    await asyncio.gather(*started)
    assert asked.room.share_left(HERE) == pytest.approx(0.6, abs=0.02)
    await asked.close()


async def test_without_redis_its_own_counts_say_what_is_left() -> None:
    asked = limiter(LIMITED, None)
    for _ in range(4):
        await world.serve(asked, HERE)
    assert asked.room.share_left(HERE) == pytest.approx(0.6, abs=0.01)
    await asked.close()


async def test_a_window_fills_up_again_with_time_and_a_day_does_not() -> None:
    clock = ManualClock(now=3_600.0)
    asked = limiter(LIMITED, None, clock)
    for _ in range(5):
        await world.serve(asked, HERE)
    assert asked.room.share_left(HERE) == pytest.approx(0.5)
    clock.now += 30
    assert asked.room.share_left(HERE) == pytest.approx(0.75, abs=0.01)
    clock.now += 31
    assert asked.room.share_left(HERE) == pytest.approx(0.95)
    clock.now += 86_400
    assert asked.room.share_left(HERE) == 1.0
    await asked.close()


async def test_tokens_that_were_held_and_not_used_are_left_again(store: RedisStore) -> None:
    of = world.provider(limits=RateLimits(tokens_per_day=1_000))
    here, asked = world.candidate(of), limiter(of, store)
    async with world.serving(asked, here, max_output_tokens=300):
        assert asked.room.share_left(here) == pytest.approx(0.69)
    assert asked.room.share_left(here) == pytest.approx(0.988)
    await asked.close()


async def test_slots_are_taken_while_requests_last(store: RedisStore) -> None:
    of = world.provider(limits=RateLimits(concurrent_requests=4))
    here, asked = world.candidate(of), limiter(of, store)
    async with world.serving(asked, here), world.serving(asked, here):
        assert asked.room.share_left(here) == 0.5
    assert asked.room.share_left(here) == 1.0
    await asked.close()


async def test_a_budget_without_money_is_known_before_anybody_asks(store: RedisStore) -> None:
    of = world.provider()
    here = world.candidate(of)
    asked = limiter(of, store, budgets=(world.budget(limits=Amounts(daily=70)),))
    for served in range(3):
        assert asked.room.lacking(here, world.request(), 10) is None, f"{served * 17} of 70 spent"
        await world.serve(asked, here, size=10)
        await asked.settled()
    assert asked.room.lacking(here, world.request(), 10) == "budget", "51 and 30 are more than 70"
    with pytest.raises(BudgetExceeded):
        await world.serve(asked, here, size=10)
    await asked.close()


def test_what_a_provider_says_itself_counts_for_a_while() -> None:
    clock = ManualClock()
    room = limiter(LIMITED, None, clock).room
    room.told(HERE, 0.25)
    assert room.share_left(HERE) == 0.25
    clock.now += 30
    assert room.share_left(HERE) == 0.625
    clock.now += 30
    assert room.share_left(HERE) == 1.0
    room.refused(HERE, 5)
    assert (room.share_left(HERE), room.lacking(HERE, world.request(), 10)) == (0.0, "headroom")
    clock.now += 5
    assert (room.share_left(HERE), room.lacking(HERE, world.request(), 10)) == (1.0, None)
