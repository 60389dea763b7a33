"""AT5: whatever callers and providers do, what was held comes back."""

import asyncio
from collections.abc import Mapping
from random import Random

import aiohttp
import pytest

from penstock_cli.stub import EMPTY, Behaviour, Bill, Broken, Ok, Status, StubProvider
from penstock_config.budget import Amounts, Budget
from penstock_config.policy import CallerLimit, Retry
from penstock_config.provider import Health, RateLimits, Timeouts
from penstock_config.schema import SidecarConfig
from tests.acceptance.caller import Caller
from tests.acceptance.counters import GROUP, Counters
from tests.acceptance.fleet import Fleet, Shipped, config
from tests.acceptance.registry import CASES, PROVIDERS, Case
from tests.planes.plane import NAMESPACE, PRICE

REQUESTS = 10_000
AT_ONCE = 48
LEAVING = 0.3
PATIENCE_SECONDS = 0.05
SETTLING_SECONDS = 30
MAX_TOKENS = 3000
WINDOW_SECONDS = 86_400
LIMITS = RateLimits(
    requests_per_minute=10**6,
    tokens_per_minute=10**9,
    concurrent_requests=10 * AT_ONCE,
    window_seconds=WINDOW_SECONDS,
)
ALL = Budget(id=f"{NAMESPACE}/mishaps", limits=Amounts(total=10**12))
OFTEN: tuple[Behaviour, ...] = (
    Ok(text="one two three four"),
    Ok(text="one two three", each=0.002),
    Ok(text="late", first=0.01),
)
SELDOM: tuple[Behaviour, ...] = (
    EMPTY,
    Status(500),
    Status(503, retry_after="0"),
    Status(429, retry_after="1"),
    Broken("reset", after=3),
    Broken("close", after=0),
    Broken("stall", after=3),
    Broken("stall", after=None),
    Broken("malformed", after=3),
    Broken("error", after=2),
    Broken("end", after=3),
)


def lenient(fakes: Mapping[str, StubProvider]) -> SidecarConfig:
    """Limits and a budget that deny nothing, and providers that may not stall for long."""
    providers = [
        kind.configured(
            fakes[kind.type],
            limits=LIMITS,
            health=Health(failure_threshold=10**9),
            timeouts=Timeouts(first_token_seconds=0.1, idle_seconds=0.1, total_seconds=1),
        )
        for kind in PROVIDERS
    ]
    limit = CallerLimit(name="mishaps", per="App", limits=LIMITS)
    retry = Retry(attempts=2, backoff_ms=1)
    return config(*providers, limits=(limit,), budgets=(ALL,), retry=retry)


@pytest.mark.slow
async def test_at5_after_ten_thousand_requests_that_go_wrong_nothing_is_held(
    eight: Fleet, fakes: Mapping[str, StubProvider], application: Caller, counts: Counters
) -> None:
    """Of every case: a third of the callers leave, providers fail and time out. Then no slot is
    taken, no money reserved, what was not used is free, and what was spent covers the bill."""
    await eight.publish(lenient(fakes))
    random = Random(7)
    weights = (30, 30, 30, *([2] * len(SELDOM)))
    for fake in fakes.values():
        fake.queue(*random.choices((*OFTEN, *SELDOM), weights, k=3 * REQUESTS))
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case, sidecar: Shipped, patience: float | None) -> int:
        body = case.endpoint.body(case.provider.type, max_tokens=MAX_TOKENS)
        async with gate:
            try:
                async with asyncio.timeout(patience):
                    return (await application.ask(sidecar, case, body)).status
            except (TimeoutError, aiohttp.ClientError):
                return 0

    plans = [
        one(
            random.choice(CASES),
            eight.anyone(random),
            random.random() * PATIENCE_SECONDS if random.random() < LEAVING else None,
        )
        for _ in range(REQUESTS)
    ]
    statuses = await asyncio.gather(*plans)
    assert statuses.count(200) > REQUESTS / 3
    await asyncio.gather(*(sidecar.until(in_flight=0) for sidecar in eight.sidecars))
    async with asyncio.timeout(SETTLING_SECONDS):
        while (counts.slots(), counts.money(GROUP, ALL.id)["R"]) != (0, 0):
            await eight.sidecars[0].state()
    assert statuses.count(200) <= counts.used("rpm", WINDOW_SECONDS) <= REQUESTS
    bill = sum((fake.bill() for fake in fakes.values()), Bill())
    tokens = counts.used("tpm", WINDOW_SECONDS)
    assert bill.output_tokens <= tokens <= REQUESTS * MAX_TOKENS / 4
    money = counts.money(GROUP, ALL.id)
    billed = bill.input_tokens * PRICE.input_token + bill.output_tokens * PRICE.output_token
    assert money["S"] + money["U"] >= billed // 1_000_000
