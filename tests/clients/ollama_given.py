"""What tests of Ollama's client ask, and of whom."""

from typing import Any

import pytest

from penstock_cli.stub import Ok, Tokens
from tests.clients.house import House

HI: list[dict[str, Any]] = [{"role": "user", "content": "Hi"}]
SPOKEN = Ok("All is well.", usage=Tokens(7, 3))
every_provider = pytest.mark.parametrize("tier", ["llama", "gpt", "claude"])
translated = pytest.mark.parametrize("tier", ["gpt", "claude"])


def add(a: int, b: int) -> int:
    """Add two numbers.

    Args:
        a: One.
        b: The other.
    """
    return a + b


def always(house: House, behaviour: Any) -> None:
    for fake in (house.anthropic, house.openai, house.ollama):
        fake.always(behaviour)


def asked(house: House) -> list[Any]:
    """What any provider was asked."""
    return [*house.anthropic.requests, *house.openai.requests, *house.ollama.requests]
