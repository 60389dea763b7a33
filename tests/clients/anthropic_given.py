"""What tests of Anthropic's client ask, and of whom."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from penstock_cli.stub import ToolCall
from penstock_cli.stub.record import Seen
from tests.clients.house import House

CALLERS_KEY = "sk-ant-the-callers"
PROVIDERS = ("claude", "gpt", "llama")
HI: Any = [{"role": "user", "content": "Hi"}]
WEATHER: Any = {
    "name": "weather",
    "description": "Of a town.",
    "input_schema": {
        "type": "object",
        "properties": {"town": {"type": "string"}},
        "required": ["town"],
        "additionalProperties": False,
    },
}
CALLS = (
    ToolCall("weather", '{"town":"Ulm"}', "toolu_1"),
    ToolCall("weather", '{"town":"Bern"}', "toolu_2"),
)
TOWNS = [{"town": "Ulm"}, {"town": "Bern"}]
IMAGE: Any = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"},
}
every_provider = pytest.mark.parametrize("tier", PROVIDERS)


def always(house: House, behaviour: Any) -> None:
    for fake in (house.anthropic, house.openai, house.ollama):
        fake.always(behaviour)


async def seen(house: House, tier: str, number: int = 1) -> Seen:
    fakes = {"claude": house.anthropic, "gpt": house.openai, "llama": house.ollama}
    return await fakes[tier].request(number)


async def all_of(stream: AsyncIterator[Any]) -> list[str]:
    """The kinds of its events."""
    return [event.type async for event in stream]


def ask(tier: str, **fields: Any) -> dict[str, Any]:
    return {"model": tier, "max_tokens": 2_000, "messages": HI, **fields}
