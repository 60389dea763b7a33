"""AT8: `x-ratelimit-remaining-*` tells what Redis holds, and each admission takes from it."""

import asyncio
from random import Random

from penstock_cli.stub import Ok, StubProvider, Tokens
from penstock_config.provider import RateLimits
from tests.acceptance.caller import Caller, Reply
from tests.acceptance.counters import Counters
from tests.acceptance.fleet import SIDECARS, Fleet, by_subject, config
from tests.acceptance.registry import CASES, Case

BYTES_PER_TOKEN = 3
INPUT_TOKENS, MAX_TOKENS = 60, 240
RESERVED = INPUT_TOKENS + MAX_TOKENS
USED = Tokens(40, 60)
USED_TOKENS = USED.input + USED.output
REQUESTS = 40
TOKENS = REQUESTS * RESERVED


def window_seconds(case: Case, first: int) -> int:
    """A length that no other test's windows have, by which its counters are found."""
    return first + CASES.index(case)


async def publish(eight: Fleet, case: Case, fake: StubProvider, window_seconds: int) -> bytes:
    """A limit on requests and tokens; returns the body to ask with."""
    limits = RateLimits(
        requests_per_minute=REQUESTS, tokens_per_minute=TOKENS, window_seconds=window_seconds
    )
    provider = case.provider.configured(fake)
    limit = by_subject(limits, "at8")
    await eight.publish(config(provider, limits=(limit,), on_redis_loss="Closed"))
    fake.always(Ok("yes", usage=USED))
    size = INPUT_TOKENS * BYTES_PER_TOKEN
    return case.endpoint.body_of(size, case.provider.type, max_tokens=MAX_TOKENS)


def left(reply: Reply) -> tuple[int, int]:
    """Requests and tokens that remain, by its headers."""
    headers = reply.headers
    limits = (headers["x-ratelimit-limit-requests"], headers["x-ratelimit-limit-tokens"])
    assert limits == (str(REQUESTS), str(TOKENS))
    remaining = "x-ratelimit-remaining-requests", "x-ratelimit-remaining-tokens"
    return int(headers[remaining[0]]), int(headers[remaining[1]])


async def test_at8_what_remains_decreases_with_each_admission_and_is_what_redis_holds(
    case: Case, fake: StubProvider, eight: Fleet, application: Caller, counts: Counters
) -> None:
    """Whichever sidecar says it. When it is said, this request's reservation is taken."""
    seconds = window_seconds(case, 800)
    body = await publish(eight, case, fake, seconds)
    chance, said = Random(str(case)), []
    for number in range(REQUESTS // 2):
        reply = await application.decided(eight.anyone(chance), case, body, x_subject=str(case))
        said.append(left(reply))
        settled = (number + 1) * USED_TOKENS
        await counts.until_used(settled, "tpm", seconds)
        assert counts.used("rpm", seconds) == number + 1
        assert said[-1] == (REQUESTS - number - 1, TOKENS - settled + USED_TOKENS - RESERVED)
    assert said == sorted(set(said), reverse=True), "strictly less each time"


async def test_at8_no_two_concurrent_admissions_are_told_the_same(
    case: Case, fake: StubProvider, eight: Fleet, application: Caller, counts: Counters
) -> None:
    """All of a limit at once: each number of requests that remain is told exactly once, and the
    one after them is told that there are none."""
    seconds = window_seconds(case, 900)
    body = await publish(eight, case, fake, seconds)
    await application.warm_up(eight, case)
    served, held = len(fake.requests), asyncio.Event()
    fake.always(Ok("yes", usage=USED, first=held))

    async def ask(number: int) -> Reply:
        sidecar = eight.sidecars[number % SIDECARS]
        return await application.decided(sidecar, case, body, x_subject=f"{case}-all")

    asking = [asyncio.create_task(ask(number)) for number in range(REQUESTS)]
    await fake.request(served + REQUESTS)
    refused = await ask(0)
    held.set()
    replies = await asyncio.gather(*asking)
    assert {reply.status for reply in replies} == {200}
    told = sorted(left(reply) for reply in replies)
    assert told == [(number, number * RESERVED) for number in range(REQUESTS)]
    assert (refused.status, left(refused)) == (429, (0, 0))
    await counts.until_used((SIDECARS + REQUESTS) * USED_TOKENS, "tpm", seconds)
    assert counts.used("rpm", seconds) == SIDECARS + REQUESTS
