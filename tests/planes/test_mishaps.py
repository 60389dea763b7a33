"""AT5 and AT12: a thousand requests, of which much goes wrong: the books are clean and cover it."""

import asyncio
import contextlib
import json
from random import Random

from penstock_cli.stub import EMPTY, Behaviour, Broken, Ok, Status
from penstock_config.budget import Amounts, Budget
from penstock_config.layout import Group
from penstock_config.policy import CallerLimit, Retry
from penstock_config.provider import Health, RateLimits, Timeouts
from penstock_config.schema import SidecarConfig
from tests.planes.plane import NAMESPACE, PRICE, Plane, chat
from tests.sidecar.http.edge import connection, post, read_response
from tests.sidecar.limits.books import Books

REQUESTS = 1000
AT_ONCE = 20
LEAVING = 0.3
SEED = 7
LIMITS = RateLimits(
    requests_per_minute=10**6, tokens_per_minute=10**9, concurrent_requests=10 * AT_ONCE
)
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


def limited(config: SidecarConfig) -> SidecarConfig:
    """With limits and budgets that deny nothing, and a provider that may not stall for long."""
    changes = {
        "limits": LIMITS,
        "health": Health(failure_threshold=10**9),
        "timeouts": Timeouts(first_token_seconds=0.05, idle_seconds=0.05, total_seconds=1),
    }
    providers = tuple(provider.model_copy(update=changes) for provider in config.providers)
    budget = Budget(id=f"{NAMESPACE}/all", limits=Amounts(total=10**12))
    return config.model_copy(update={"providers": providers, "budgets": (budget,)})


async def ask(plane: Plane, random: Random, number: int) -> None:
    document = chat(str(number), stream=random.random() < 0.5, max_tokens=30)
    patience = random.random() * 0.03 if random.random() < LEAVING else None
    async with connection(plane.ports.application) as (reader, writer):
        writer.write(post(json.dumps(document).encode()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await read_response(reader)


async def test_whatever_goes_wrong_the_books_are_clean_and_cover_the_bill(
    plane: Plane, redis_url: str
) -> None:
    limit = CallerLimit(name="app", per="App", limits=LIMITS)
    retry = Retry(attempts=2, backoff_ms=1)
    await plane.publish(limited(plane.config(limits=(limit,), retry=retry)))
    random = Random(SEED)
    for stub in (plane.main, plane.backup):
        behaviours = random.choices((*OFTEN, *SELDOM), (10, 10, 10, *([1] * len(SELDOM))), k=9999)
        stub.queue(*behaviours)
    gate = asyncio.Semaphore(AT_ONCE)

    async def in_turn(number: int) -> None:
        async with gate:
            await ask(plane, random, number)

    await asyncio.gather(*(in_turn(number) for number in range(REQUESTS)))
    async with asyncio.timeout(10):
        await plane.sidecar._load.idle()
        runtime = plane.sidecar._holder.peek()
        assert runtime
        await runtime.settled()
    books = Books(redis_url)
    money = books.money(Group.of_namespace("test", NAMESPACE), f"{NAMESPACE}/all")
    bill = plane.main.bill() + plane.backup.bill()
    billed = bill.input_tokens * PRICE.input_token + bill.output_tokens * PRICE.output_token
    assert (books.slots(), money["R"]) == (0, 0)
    assert money["S"] + money["U"] >= billed // 1_000_000
    assert money["S"] > 0
    assert money["U"] > 0, "some left before anything came: nobody can know what that cost"
