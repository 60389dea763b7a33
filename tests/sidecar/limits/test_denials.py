"""What Redis refused a moment ago is refused again without asking, and never wrongly."""

import pytest

from penstock_config.layout import Group
from penstock_config.policy import CallerLimit
from penstock_config.provider import RateLimits
from penstock_sidecar.errors import (
    ConcurrencyLimited,
    RateLimited,
    TokensLimited,
    UpstreamLimited,
)
from penstock_sidecar.limits.priority import HEADER
from tests.sidecar.limits import world
from tests.sidecar.limits.world_in_time import SECOND, InTime

MILLISECOND = 1_000
GROUP = Group.of_provider("test", "shop/cloud")


def mine(**limits: int) -> tuple[CallerLimit, ...]:
    return (world.per_app(RateLimits(**limits)),)


async def test_a_flood_asks_ten_times_a_second_and_is_told_the_truth(time: InTime) -> None:
    limiter = time.limiter(world.config(limits=mine(requests_per_minute=1)))
    assert await time.served(limiter) is None
    free_at = (time.clock.now_us // SECOND + 61) * SECOND
    asked = time.store.calls["acquire"]
    for _ in range(1000):
        time.passes(MILLISECOND)
        refused = await time.served(limiter)
        assert isinstance(refused, RateLimited)
        assert refused.retry_after_seconds
        true_wait = (free_at - time.clock.now_us) / SECOND
        assert true_wait - 1e-5 <= refused.retry_after_seconds <= true_wait * 1.151
    assert time.store.calls["acquire"] - asked <= 11


async def test_a_flood_on_a_provider_asks_as_seldom(time: InTime) -> None:
    cloud = world.provider(limits=RateLimits(requests_per_minute=1))
    limiter = time.limiter(world.config((cloud,)))
    assert await time.served(limiter, world.candidate(cloud)) is None
    asked = time.store.calls["acquire"]
    for _ in range(500):
        time.passes(MILLISECOND)
        assert isinstance(await time.served(limiter, world.candidate(cloud)), UpstreamLimited)
    assert time.store.calls["acquire"] - asked <= 6


async def test_nothing_is_refused_from_memory_once_its_time_has_come(time: InTime) -> None:
    limits = mine(requests_per_minute=1)
    limiter = time.limiter(world.config(limits=limits))
    assert await time.served(limiter) is None
    free_at = (time.clock.now_us // SECOND + 61) * SECOND
    time.clock.now_us = free_at - 50 * MILLISECOND
    assert await time.served(limiter) is not None
    time.clock.now_us = free_at + 1
    assert await time.served(limiter) is None


async def test_a_raised_limit_is_not_refused_by_the_old_one(time: InTime) -> None:
    memory = world.memory(time.clock)
    old = time.limiter(world.config(limits=mine(requests_per_minute=1)), memory=memory)
    assert await time.served(old) is None
    assert await time.served(old) is not None
    new = time.limiter(world.config(limits=mine(requests_per_minute=2)), memory=memory)
    assert await time.served(new) is None


async def test_a_smaller_request_is_not_refused_by_a_larger_one(time: InTime) -> None:
    limiter = time.limiter(world.config(limits=mine(tokens_per_minute=100)))
    assert await time.begin(limiter, max_output_tokens=30) is None
    assert await time.begin(limiter, max_output_tokens=30) is None
    assert isinstance(await time.begin(limiter, max_output_tokens=30), TokensLimited)
    assert await time.begin(limiter, max_output_tokens=5) is None


async def test_high_priority_is_not_refused_by_a_lower_one(time: InTime) -> None:
    limit = world.per_app(RateLimits(requests_per_minute=2), reserved_percent=50)
    limiter = time.limiter(world.config(limits=(limit,), request_priority="High"))
    assert await time.served(limiter, headers={HEADER: "low"}) is None
    assert await time.served(limiter, headers={HEADER: "low"}) is not None
    assert await time.served(limiter) is None


async def test_users_are_not_refused_by_each_other(time: InTime) -> None:
    limit = world.per_app(RateLimits(requests_per_minute=1), per="User")
    limiter = time.limiter(world.config(limits=(limit,)))
    assert await time.served(limiter) is None
    assert await time.served(limiter) is not None
    assert await time.served(limiter, caller=world.user("bob")) is None


@pytest.mark.parametrize("of_provider", [False, True])
async def test_slots_are_always_asked_for(time: InTime, *, of_provider: bool) -> None:
    slots = RateLimits(concurrent_requests=1)
    cloud = world.provider(limits=slots if of_provider else RateLimits())
    limits = () if of_provider else (world.per_app(slots),)
    limiter = time.limiter(world.config((cloud,), limits))
    assert await time.begin(limiter, world.candidate(cloud)) is None
    refused = await time.begin(limiter, world.candidate(cloud))
    assert isinstance(refused, UpstreamLimited if of_provider else ConcurrencyLimited)
    await time.end_all()
    assert await time.begin(limiter, world.candidate(cloud)) is None


async def test_turns_are_always_asked_for(time: InTime) -> None:
    cloud = world.provider(limits=RateLimits(requests_per_minute=9))
    limiter = time.limiter(world.config((cloud,)))
    time.client.zadd(GROUP.waiting, {"2:shop/other": time.clock.now_us + SECOND})
    assert isinstance(await time.served(limiter, world.candidate(cloud)), UpstreamLimited)
    time.client.delete(GROUP.waiting)
    assert await time.served(limiter, world.candidate(cloud)) is None
