"""AT2: tokens are reserved before the call, so requests that come together do not pass together."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count

import pytest

from penstock_cli.stub import Ok, Seen, StubProvider, Tokens
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
    """By the policy or by the provider, whose name is the test's own: its counters are new, and
    nobody has learned yet how many tokens it makes of a byte. Another one serves the warm-up."""
    name, other = f"at2-{where}-{case}", case.provider.configured(fake)
    if where == "policy":
        free = case.provider.configured(fake, name)
        limits = (by_subject(LIMITS, "at2"),)
        return config(free, other, limits=limits, on_redis_loss="Closed")
    return config(case.provider.configured(fake, name, limits=LIMITS, sidecars=SIDECARS), other)


class Crowd:
    """Asks all at once, and again for those that Redis was too late for: what these perhaps held
    for a moment, others were refused, so they ask again as well while too few are held."""

    def __init__(self, ask: Callable[[int], Awaitable[Reply]]) -> None:
        self.refused: list[Reply] = []
        self.late = 0
        self._ask = ask
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._numbers = count()
        self._asking = {self._one_more() for _ in range(REQUESTS)}

    async def until_held(self, at_the_provider: "asyncio.Task[Seen]") -> None:
        """Returns when ten are at the provider, and all others were refused."""
        while not at_the_provider.done() or len(self._asking) > ADMITTED:
            waited = [*self._asking, at_the_provider]
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            for task in [asked for asked in self._asking if asked.done()]:
                self._asking.remove(task)
                self._answered(task.result())
            while len(self._asking) < ADMITTED:
                self._asking.add(self._one_more())

    async def served(self) -> list[Reply]:
        return await asyncio.gather(*self._asking)

    def _answered(self, reply: Reply) -> None:
        if reply.status == 503:
            self.late += 1
            self._asking.add(self._one_more())
        else:
            self.refused.append(reply)

    def _one_more(self) -> "asyncio.Task[Reply]":
        return asyncio.create_task(self._in_turn(next(self._numbers)))

    async def _in_turn(self, number: int) -> Reply:
        async with self._gate:
            return await self._ask(number)


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
    held = asyncio.Event()
    fake.always(Ok("done", usage=Tokens(INPUT_TOKENS, OUTPUT_TOKENS), first=held))

    def ask(number: int) -> Awaitable[Reply]:
        sidecar = eight.sidecars[number % SIDECARS]
        return application.ask(sidecar, case, body, x_subject=str(case))

    crowd = Crowd(ask)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await crowd.until_held(asyncio.create_task(fake.request(SIDECARS + ADMITTED)))
    held.set()
    served = await crowd.served()
    assert {(r.status, r.error["type"]) for r in crowd.refused} == {(429, "tokens")}
    assert crowd.late or len(crowd.refused) == REQUESTS - ADMITTED
    assert [r.answer.text for r in served] == ["done"] * ADMITTED
    assert len(fake.requests) == SIDECARS + ADMITTED
