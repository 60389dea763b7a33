"""AT2: tokens are reserved before the call, so requests that come together do not pass together."""

import asyncio

import pytest

from penstock_cli.stub import Ok, StubProvider, Tokens
from penstock_config.provider import RateLimits
from penstock_config.schema import SidecarConfig
from tests.acceptance.caller import Caller, Reply
from tests.acceptance.fleet import PATIENCE_SECONDS, SIDECARS, Fleet, by_subject, config
from tests.acceptance.registry import Case

LIMITS = RateLimits(tokens_per_minute=10_000)
REQUESTS = 100
INPUT_TOKENS, OUTPUT_TOKENS = 200, 800
BYTES_PER_TOKEN = 3
ADMITTED = 10


AT_ONCE = 2 * ADMITTED
"""Undecided: more would make Redis late on a small machine, and then others decide."""


def limited(where: str, case: Case, fake: StubProvider) -> SidecarConfig:
    """By the policy or by the provider, whose name is the case's: its counters are new."""
    free = case.provider.configured(fake)
    if where == "policy":
        return config(free, limits=(by_subject(LIMITS, "at2"),), on_redis_loss="Closed")
    mine = case.provider.configured(fake, f"at2-{case}", limits=LIMITS, sidecars=SIDECARS)
    return config(mine, free)


@pytest.mark.parametrize("where", ["policy", "provider"])
async def test_at2_of_a_hundred_concurrent_requests_just_those_that_fit_reach_the_provider(
    where: str, case: Case, fake: StubProvider, eight: Fleet, application: Caller
) -> None:
    wanted = limited(where, case, fake)
    await eight.publish(wanted)
    await application.warm_up(eight, case)
    body = case.endpoint.body_of(
        INPUT_TOKENS * BYTES_PER_TOKEN, wanted.tiers[0].name, max_tokens=OUTPUT_TOKENS
    )
    held, gate = asyncio.Event(), asyncio.Semaphore(AT_ONCE)
    fake.always(Ok("done", usage=Tokens(INPUT_TOKENS, OUTPUT_TOKENS), first=held))

    async def ask(number: int) -> Reply:
        sidecar = eight.sidecars[number % SIDECARS]
        async with gate:
            return await application.decided(sidecar, case, body, x_subject=str(case))

    asking = asyncio.as_completed([ask(number) for number in range(REQUESTS)])
    async with asyncio.timeout(PATIENCE_SECONDS):
        refused = [await next(asking) for _ in range(REQUESTS - ADMITTED)]
        await fake.request(SIDECARS + ADMITTED)
    held.set()
    served = [await answered for answered in asking]
    assert {r.status for r in refused} == {429}
    assert [r.answer.text for r in served] == ["done"] * ADMITTED
    assert len(fake.requests) == SIDECARS + ADMITTED
