"""What a provider is told to answer, and how often it was asked."""

from typing import Final

import pytest

from penstock_cli.stub import Ok, Tokens
from tests.clients.house import House

both = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
LONG: Final = "many wörds " * 450
"""More than fits in one event of a replay."""
SPOKEN: Final = Ok("Grüße, 世界!", usage=Tokens(7, 3, cached=2))
MISHAPS: Final = ("close", "malformed", "error")


def requests(house: House) -> int:
    """Of all providers."""
    return sum(len(fake.requests) for fake in (house.anthropic, house.openai, house.ollama))
