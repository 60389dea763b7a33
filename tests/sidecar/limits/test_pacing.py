"""`pacing: Smooth`: evenly spaced, with true hints."""

import pytest

from penstock_config.provider import RateLimits
from penstock_sidecar.errors import RateLimited, TokensLimited
from tests.sidecar.limits import world
from tests.sidecar.limits.world_in_time import SECOND, InTime


def smooth(**limits: int) -> RateLimits:
    return RateLimits(pacing="Smooth", **limits)


async def test_requests_come_a_whole_interval_apart(time: InTime) -> None:
    """Refused a microsecond before its time, admitted at its time."""
    limits = (world.per_app(smooth(requests_per_minute=60)),)
    limiter = time.limiter(world.config(limits=limits))
    for _ in range(3):
        assert await time.served(limiter) is None
        refused = await time.served(limiter)
        assert isinstance(refused, RateLimited)
        assert refused.retry_after_seconds
        assert 1 <= refused.retry_after_seconds <= 1.15
        time.passes(SECOND - 1)
        assert isinstance(await time.served(limiter), RateLimited)
        time.passes(1)


async def test_a_second_of_a_dense_limit_comes_at_once(time: InTime) -> None:
    limits = (world.per_app(smooth(requests_per_minute=240)),)
    limiter = time.limiter(world.config(limits=limits))
    answers = [await time.served(limiter) for _ in range(6)]
    assert [answer is None for answer in answers] == [True] * 4 + [False] * 2
    time.passes(SECOND // 4)
    assert await time.served(limiter) is None
    assert await time.served(limiter) is not None


async def test_what_was_held_and_not_used_moves_the_next_one_up(time: InTime) -> None:
    """Of 70 tokens held 12 were used: the next one waits for these alone."""
    limits = (world.per_app(smooth(tokens_per_minute=600)),)
    limiter = time.limiter(world.config(limits=limits))
    assert await time.begin(limiter, max_output_tokens=60) is None
    refused = await time.served(limiter)
    assert isinstance(refused, TokensLimited)
    assert refused.retry_after_seconds == pytest.approx(6.1 * 1.075, rel=0.08)
    await time.end_all()
    time.passes(SECOND * 3 // 10 - 1)
    assert await time.served(limiter) is not None
    time.passes(SECOND)
    assert await time.served(limiter) is None


async def test_headers_tell_what_is_left_of_the_burst(time: InTime) -> None:
    limits = (world.per_app(smooth(requests_per_minute=240)),)
    limiter = time.limiter(world.config(limits=limits))
    seen = []
    for _ in range(4):
        async with (
            limiter.ticket(world.CALLER, world.request()) as ticket,
            ticket.attempt(world.candidate()) as attempt,
        ):
            seen.append(dict(ticket.headers))
            attempt.saw(world.DONE)
    assert [headers["x-ratelimit-remaining-requests"] for headers in seen] == ["3", "2", "1", "0"]
    assert {headers["x-ratelimit-limit-requests"] for headers in seen} == {"240"}
