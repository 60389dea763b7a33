"""What a session forgets is summed up, with the vendors' own clients against a whole sidecar."""

import asyncio
from typing import Any

import httpx
import pytest
import redis.asyncio

from penstock_cli.stub import Ok, Status
from penstock_config.policy import Memory
from penstock_config.provider import Price, Provider
from penstock_config.schema import SidecarConfig
from tests.clients.apps import ANSWER, FIRST, SECOND, Apps

pytestmark = pytest.mark.alone
"""A sidecar goes on without a Redis that takes more than 50 ms: a busy machine forgets turns."""
MEMORY = Memory(messages=2, summarise=True)


def with_cheap_ollama(config: SidecarConfig, **changes: Any) -> SidecarConfig:
    """`changes` are of that provider too."""

    def changed(provider: Provider) -> Provider:
        if provider.type != "ollama":
            return provider
        price = Price(input_token=1, output_token=1)
        models = tuple(model.model_copy(update={"price": price}) for model in provider.models)
        return provider.model_copy(update={"models": models, **changes})

    providers = tuple(map(changed, config.providers))
    return config.model_copy(update={"providers": providers})


async def test_older_turns_are_summed_up_by_the_cheapest_model(apps: Apps, redis_url: str) -> None:
    house = apps.house
    await house.publish(with_cheap_ollama(house.config(memory=MEMORY)))
    house.ollama.always(Ok("She is Ada."))
    await apps.say("openai", FIRST)
    await apps.say("openai", SECOND)
    asked: Any = (await house.ollama.request()).body
    assert [each["role"] for each in asked["messages"]] == ["system", "user"]
    assert FIRST in asked["messages"][1]["content"]
    assert asked["options"]["num_predict"] == 400
    await _until_summed_up(redis_url)
    await apps.say("openai", "And?")
    assert apps.told("openai") == [
        ("user", "In short, this is what we said before:\n\nShe is Ada."),
        ("assistant", "I remember."),
        ("user", SECOND),
        ("assistant", ANSWER),
        ("user", "And?"),
    ]


async def _until_summed_up(redis_url: str) -> None:
    async with redis.asyncio.Redis.from_url(redis_url) as books, asyncio.timeout(30):
        (key,) = await books.keys("*:s1:*")
        while not await books.zcount(key, 0, 0):  # noqa: ASYNC110  # nobody tells us
            await asyncio.sleep(0.01)


async def test_a_summary_is_paid_for_and_counted(apps: Apps, redis_url: str) -> None:
    house = apps.house
    await house.publish(house.config(memory=MEMORY))
    await apps.say("openai", FIRST)
    await apps.say("openai", SECOND)
    await _until_summed_up(redis_url)
    async with httpx.AsyncClient(base_url=house.probe_url) as client:
        metrics = (await client.get("/metrics")).text
    labels = 'model="opus",policy="team/shop",provider="team/anthropic"'
    spent = next(
        line
        for line in metrics.splitlines()
        if line.startswith("penstock_cost_usd_total{" + labels)
    )
    assert float(spent.split()[-1]) > 0


async def test_where_the_cheapest_fails_the_next_is_asked(apps: Apps, redis_url: str) -> None:
    house = apps.house
    await house.publish(with_cheap_ollama(house.config(memory=MEMORY)))
    house.ollama.always(Status(500))
    house.anthropic.always(Ok("She is Ada."))
    await apps.say("openai", FIRST)
    await apps.say("openai", SECOND)
    await _until_summed_up(redis_url)
    assert len(house.ollama.requests) == len(house.anthropic.requests) == 1


async def test_who_may_not_get_personal_data_is_not_asked(apps: Apps, redis_url: str) -> None:
    house = apps.house
    config = with_cheap_ollama(house.config(memory=MEMORY), may_send_personal_data=False)
    await house.publish(config)
    await apps.say("openai", FIRST)
    await apps.say("openai", SECOND)
    await _until_summed_up(redis_url)
    assert house.ollama.requests == []
