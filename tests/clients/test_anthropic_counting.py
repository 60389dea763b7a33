"""Tokens counted, and models listed, for Anthropic's own client."""

from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic

from penstock_cli.stub import Ok, Status, Tokens
from penstock_config.policy import CallerLimit
from penstock_config.provider import RateLimits
from tests.clients.anthropic_given import HI, ask
from tests.clients.house import KEY, House


async def test_anthropic_counts_tokens_itself(house: House, client: AsyncAnthropic) -> None:
    house.anthropic.always(Ok("", usage=Tokens(42, 0)))
    counted = await client.messages.count_tokens(model="claude", messages=HI)
    assert counted.input_tokens == 42
    request = await house.anthropic.request()
    assert request.path == "/v1/messages/count_tokens"
    assert request.body == {"model": "claude-opus-4-7", "messages": HI}
    assert request.headers["x-api-key"] == KEY


@pytest.mark.parametrize("tier", ["claude", "gpt"])
async def test_counting_is_no_request_and_costs_nothing(counting_house: House, tier: str) -> None:
    limits = RateLimits(requests_per_minute=1)
    limit = CallerLimit(name="app", per="App", limits=limits)
    await counting_house.publish(counting_house.config(limits=(limit,)))
    async with AsyncAnthropic(base_url=counting_house.url, api_key="mine", max_retries=0) as client:
        for _ in range(3):
            counted = await client.messages.with_raw_response.count_tokens(model=tier, messages=HI)
            assert "x-penstock-cost-usd" not in counted.headers
        await client.messages.create(**ask(tier))
        with pytest.raises(anthropic.RateLimitError):
            await client.messages.create(**ask(tier))


@pytest.mark.parametrize("tier", ["gpt", "llama"])
async def test_elsewhere_tokens_are_estimated(
    house: House, client: AsyncAnthropic, tier: str
) -> None:
    short = await client.messages.count_tokens(model=tier, messages=HI)
    messages: Any = [{"role": "user", "content": "word " * 300}]
    long = await client.messages.count_tokens(model=tier, messages=messages)
    assert 0 < short.input_tokens < 100
    assert 300 <= long.input_tokens <= 600
    assert house.openai.requests == house.ollama.requests == []


async def test_who_cannot_count_is_replaced(house: House, client: AsyncAnthropic) -> None:
    house.anthropic.always(Status(529))
    counted = await client.messages.count_tokens(model="any", messages=HI)
    assert counted.input_tokens > 0


async def test_counting_has_the_same_errors(house: House, client: AsyncAnthropic) -> None:
    house.anthropic.always(Status(529, retry_after="3"))
    with pytest.raises(anthropic.OverloadedError) as caught:
        await client.messages.count_tokens(model="claude", messages=HI)
    assert caught.value.response.headers["retry-after"] == "3"
    with pytest.raises(anthropic.NotFoundError):
        await client.messages.count_tokens(model="nobody", messages=HI)


async def test_models_are_listed_in_anthropic_s_shape(client: AsyncAnthropic) -> None:
    listed = [model async for model in client.models.list()]
    assert {"claude", "gpt", "llama", "opus"} <= {model.id for model in listed}
    assert {model.type for model in listed} == {"model"}


async def test_one_model_is_told_by_its_id(client: AsyncAnthropic) -> None:
    assert (await client.models.retrieve("claude")).id == "claude"
    with pytest.raises(anthropic.NotFoundError, match="the model `nobody` does not exist"):
        await client.models.retrieve("nobody")
