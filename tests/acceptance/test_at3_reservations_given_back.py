"""AT3: what is reserved and not used is free again at once, and tokens are nobody else's window."""

import asyncio
import statistics
import time
from random import Random

import pytest

from penstock_cli.stub import Ok, StubProvider, Tokens
from penstock_config.policy import CallerLimit
from penstock_config.provider import RateLimits
from penstock_config.schema import SidecarConfig
from tests.acceptance.caller import Caller
from tests.acceptance.counters import Counters
from tests.acceptance.fleet import SIDECARS, Fleet, by_subject, config
from tests.acceptance.registry import CASES, Case

BYTES_PER_TOKEN = 3
INPUT_TOKENS = 60
MAX_TOKENS = 540
USED = Tokens(INPUT_TOKENS - 30, 30)
"""A tenth of what a request reserves."""
RESERVED_TOKENS = INPUT_TOKENS + MAX_TOKENS
USED_TOKENS = USED.input + USED.output
LIMIT = 60 * RESERVED_TOKENS
"""Room for the last reservation and for the oldest bucket, 1/60 each, within the 5 % below."""
WINDOW_SECONDS = 6.0
CALLERS = 16
REST_SECONDS = 0.02
REQUESTS = 10


def limited(case: Case, fake: StubProvider, *limits: CallerLimit) -> SidecarConfig:
    provider = case.provider.configured(fake)
    return config(provider, limits=limits, on_redis_loss="Closed", sidecars=SIDECARS)


def body(case: Case) -> bytes:
    size = INPUT_TOKENS * BYTES_PER_TOKEN
    return case.endpoint.body_of(size, case.provider.type, max_tokens=MAX_TOKENS)


@pytest.mark.slow
async def test_at3_what_is_reserved_ten_times_too_much_costs_no_throughput(
    case: Case, fake: StubProvider, eight: Fleet, application: Caller
) -> None:
    """Within two windows 95 % of two windows' tokens were really used, and never more."""
    limits = RateLimits(tokens_per_minute=LIMIT, window_seconds=WINDOW_SECONDS)
    await eight.publish(limited(case, fake, by_subject(limits, "at3")))
    await application.warm_up(eight, case)
    fake.always(Ok("yes", usage=USED))
    loop = asyncio.get_running_loop()
    until = loop.time() + 2 * WINDOW_SECONDS
    used: list[int] = []

    async def flood(number: int) -> None:
        while loop.time() < until:
            sidecar = eight.sidecars[number % SIDECARS]
            reply = await application.ask(sidecar, case, body(case), x_subject=f"at3-{case}")
            if reply.status == 200:
                used.append(USED_TOKENS)
            else:
                await asyncio.sleep(REST_SECONDS)

    await asyncio.gather(*(flood(number) for number in range(CALLERS)))
    assert 0.95 * 2 * LIMIT <= sum(used) <= 2 * LIMIT


async def test_at3_an_unused_reservation_is_back_within_100_ms_of_the_answer(
    case: Case, fake: StubProvider, eight: Fleet, application: Caller, counts: Counters
) -> None:
    """By the clock of Redis, which is this machine's, from when the answer was read."""
    window_seconds = 600 + CASES.index(case)
    limits = RateLimits(tokens_per_minute=LIMIT, window_seconds=window_seconds)
    await eight.publish(limited(case, fake, by_subject(limits, "at3-back")))
    fake.always(Ok("yes", usage=USED))
    took_us = []
    for number in range(REQUESTS):
        sidecar = eight.sidecars[number % SIDECARS]
        reply = await application.decided(sidecar, case, body(case), x_subject=f"at3-{case}")
        read_us = time.time_ns() // 1000
        assert reply.status == 200
        counted_us = await counts.until_used((number + 1) * USED_TOKENS, "tpm", window_seconds)
        took_us.append(counted_us - read_us)
    assert statistics.median(took_us) <= 100_000, took_us


async def test_at3_a_rollover_of_requests_never_alters_the_state_of_tokens(
    case: Case, fake: StubProvider, eight: Fleet, application: Caller, counts: Counters
) -> None:
    """Three windows' worth of requests, each refused beyond its window, within one of tokens."""
    window_seconds = 700 + CASES.index(case)
    requests = RateLimits(requests_per_minute=3, window_seconds=0.5)
    tokens = RateLimits(tokens_per_minute=LIMIT, window_seconds=window_seconds)
    pair = (by_subject(requests, "at3-requests"), by_subject(tokens, "at3-tokens"))
    await eight.publish(limited(case, fake, *pair))
    fake.always(Ok("yes", usage=USED))
    admitted, refused, chance = 0, 0, Random(str(case))
    while admitted < 3 * 3:
        sidecar = eight.anyone(chance)
        reply = await application.decided(sidecar, case, body(case), x_subject=f"at3-{case}")
        if reply.status == 200:
            left = LIMIT - admitted * USED_TOKENS - RESERVED_TOKENS
            assert reply.headers["x-ratelimit-remaining-tokens"] == str(left)
            admitted += 1
        else:
            assert (reply.status, reply.error["type"]) == (429, "requests")
            refused += 1
            await asyncio.sleep(int(reply.headers["retry-after-ms"]) / 1000)
        await counts.until_used(admitted * USED_TOKENS, "tpm", window_seconds)
    assert refused >= 2
