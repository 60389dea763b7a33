"""Priorities of requests: what is reserved for the high ones, and who may ask for which."""

import pytest

from penstock_config.provider import RateLimits
from penstock_sidecar.errors import RateLimited
from penstock_sidecar.limits.priority import HEADER, Priority, priority_of
from tests.sidecar.limits import world
from tests.sidecar.limits.world_in_time import InTime


@pytest.mark.parametrize(
    ("policy", "asked", "gets"),
    [
        ("High", None, "High"),
        ("High", "low", "Low"),
        ("High", " Normal ", "Normal"),
        ("Normal", "high", "Normal"),
        ("Normal", "LOW", "Low"),
        ("Low", "high", "Low"),
        ("High", "urgent", "High"),
        ("Normal", "", "Normal"),
    ],
)
def test_a_caller_can_only_step_back(policy: Priority, asked: str | None, gets: Priority) -> None:
    headers = {} if asked is None else {HEADER: asked}
    assert priority_of(policy, headers) == gets


@pytest.mark.parametrize(
    ("policy", "headers", "admitted"),
    [
        ("Normal", {}, 3),
        ("Low", {}, 3),
        ("High", {}, 5),
        ("High", {HEADER: "normal"}, 3),
        ("Normal", {HEADER: "high"}, 3),
    ],
)
async def test_a_part_is_kept_for_high_priority(
    time: InTime, policy: Priority, headers: dict[str, str], admitted: int
) -> None:
    mine = world.per_app(RateLimits(requests_per_minute=5), reserved_percent=40)
    limiter = time.limiter(world.config(limits=(mine,), request_priority=policy))
    answers = [await time.served(limiter, headers=headers) for _ in range(6)]
    assert [answer is None for answer in answers] == [i < admitted for i in range(6)]
    assert isinstance(answers[-1], RateLimited)
    assert answers[-1].retry_after_seconds
    assert answers[-1].headers["x-ratelimit-limit-requests"] == str(admitted)


async def test_the_rest_is_there_for_high_priority_after_others_used_theirs(time: InTime) -> None:
    mine = world.per_app(RateLimits(requests_per_minute=5), reserved_percent=40)
    limiter = time.limiter(world.config(limits=(mine,), request_priority="High"))
    for _ in range(3):
        assert await time.served(limiter, headers={HEADER: "low"}) is None
    assert await time.served(limiter, headers={HEADER: "low"}) is not None
    assert await time.served(limiter) is None
    assert await time.served(limiter) is None
    assert await time.served(limiter) is not None


async def test_where_all_is_kept_others_never_come(time: InTime) -> None:
    """And are not told to come back."""
    mine = world.per_app(RateLimits(requests_per_minute=5), reserved_percent=100)
    limiter = time.limiter(world.config(limits=(mine,)))
    refused = await time.served(limiter)
    assert isinstance(refused, RateLimited)
    assert refused.retry_after_seconds is None


async def test_a_long_answer_fits_what_is_not_kept(time: InTime) -> None:
    """A reservation takes at most half of what its caller may use, however much may come."""
    mine = world.per_app(RateLimits(tokens_per_minute=1000), reserved_percent=80)
    limiter = time.limiter(world.config(limits=(mine,)))
    assert await time.begin(limiter, max_output_tokens=900) is None
    assert await time.begin(limiter, max_output_tokens=900) is None
    assert await time.begin(limiter, max_output_tokens=900) is not None
