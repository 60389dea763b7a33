"""Budgets and limits hold for embeddings, to the figure."""

import asyncio
from math import ceil

import pytest

from penstock_cli.stub import Bill, Ok, Tokens
from penstock_config.budget import Amounts, Budget
from penstock_config.policy import CallerLimit
from penstock_config.provider import RateLimits
from tests.acceptance.counters import GROUP, Counters, counters
from tests.clients.embeddings.embedders import (
    EMBED,
    NAMESPACE,
    OPENAI,
    PATIENCE_SECONDS,
    Embedders,
    body,
)
from tests.sidecar.http.edge import exchange, head


async def settled(books: Counters, budget: str, micro_usd: int) -> dict[str, int]:
    """What is written, once that much is; settling goes on after the answer."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = books.money(GROUP, budget)
            if found["S"] == micro_usd:
                return found
            await asyncio.sleep(0)


def hard(micro_usd: int) -> tuple[Budget, ...]:
    return (Budget(id=f"{NAMESPACE}/hard", limits=Amounts(total=micro_usd)),)


@pytest.mark.parametrize(
    ("path", "tier", "fields"),
    [
        (OPENAI, "gpt", {"input": "what is it?"}),
        (OPENAI, "llama", {"input": ["what", "is it?"]}),
        (EMBED, "gpt", {"input": "what is it?"}),
        (EMBED, "llama", {"input": "what is it?"}),
    ],
)
async def test_a_hard_budget_holds_the_bodys_bytes_and_spends_the_input_tokens(
    here: Embedders, redis_url: str, path: str, tier: str, fields: dict[str, object]
) -> None:
    asked = body(model=tier, **fields)
    for stub in (here.openai, here.ollama):
        stub.always(Ok(usage=Tokens(5, 0)))
    await here.publish(budgets=hard(len(asked) - 1))
    refused = await here.ask(path, asked)
    assert refused.status == 429
    await here.publish(budgets=hard(len(asked)))
    served = await here.ask(path, asked)
    assert (served.status, served.headers["x-penstock-cost-usd"]) == (200, "0.000005")
    with counters(redis_url) as books:
        assert await settled(books, f"{NAMESPACE}/hard", 5) == {"S": 5, "R": 0, "U": 0}
    assert here.openai.bill() + here.ollama.bill() == Bill(1, 5, 0)
    assert (await here.ask(path, asked)).status == 429, "five are gone"


async def test_where_nobody_counts_a_hard_budget_is_charged_what_it_held(
    here: Embedders, redis_url: str
) -> None:
    asked = body(model="gem", input="what is it?")
    await here.publish(budgets=hard(1000))
    served = await here.ask(OPENAI, asked)
    assert served.status == 200
    with counters(redis_url) as books:
        found = await settled(books, f"{NAMESPACE}/hard", len(asked))
    assert found == {"S": len(asked), "R": 0, "U": 0}


async def test_where_nobody_counts_and_no_budget_refuses_the_guess_is_the_cost(
    here: Embedders,
) -> None:
    asked = body(model="gem", input="what is it?")
    served = await here.ask(OPENAI, asked)
    assert served.headers["x-penstock-cost-usd"] == f"0.{ceil(len(asked) / 3):06d}"


async def test_a_hard_budget_refuses_what_has_no_known_price(here: Embedders) -> None:
    await here.publish(budgets=hard(10_000))
    refused = await here.ask(OPENAI, body(model="gpt", input="a", service_tier="priority"))
    assert (refused.status, refused.error["param"]) == (400, "service_tier")


@pytest.mark.parametrize(
    ("fields", "reserved"),
    [
        ({"input": "what is it?"}, None),
        ({"input": [[1, 22, 333], [4444, 5]]}, 5),
    ],
)
async def test_a_token_limit_reserves_the_input_and_counts_what_the_provider_counted(
    here: Embedders, redis_url: str, fields: dict[str, object], reserved: int | None
) -> None:
    asked = body(model="gpt", **fields)
    guess = ceil(len(asked) / 3) if reserved is None else reserved
    limit = RateLimits(tokens_per_minute=1000)
    await here.publish(limits=(CallerLimit(name="tokens", per="App", limits=limit),))
    here.openai.always(Ok(usage=Tokens(7, 0)))
    served = await here.ask(OPENAI, asked)
    assert served.headers["x-ratelimit-remaining-tokens"] == str(1000 - guess)
    with counters(redis_url) as books:
        await books.until_used(7, "tpm", 60)


async def test_a_token_limit_refuses_what_never_fits(here: Embedders) -> None:
    limit = RateLimits(tokens_per_minute=100)
    await here.publish(limits=(CallerLimit(name="tokens", per="App", limits=limit),))
    refused = await here.ask(OPENAI, body(model="gpt", input=[*range(101)]))
    assert refused.status == 413
    assert refused.error["message"].endswith("this input has about 101")
    assert (await here.ask(OPENAI, body(model="gpt", input=[*range(100)]))).status == 200


async def test_metrics_say_embeddings(here: Embedders) -> None:
    here.openai.always(Ok(usage=Tokens(7, 0)))
    assert (await here.ask(OPENAI, body(model="gpt", input="a"))).status == 200
    assert (await here.ask(EMBED, body(model="gpt", input="a"))).status == 200
    who = 'gen_ai_operation_name="embeddings",gen_ai_provider_name="team/openai"'
    response = await exchange(here.ports.probe, head("GET", "/metrics"))
    metrics = response.body.decode()
    assert f'gen_ai_client_token_usage_sum{{{who},gen_ai_request_model="small",' in metrics
    line = next(text for text in metrics.splitlines() if f"token_usage_sum{{{who}" in text)
    assert line.endswith(" 14.0")
