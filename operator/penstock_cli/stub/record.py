"""What the stub has seen and what it would charge for it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Seen:
    """One request. `disconnected` is set when the client left before the answer was complete."""

    path: str
    model: str
    raw: bytes
    body: Mapping[str, object]
    headers: Mapping[str, str]
    """Names in lower case."""
    query: Mapping[str, str]
    at: float
    """Seconds on the loop's clock."""
    peer: tuple[str, int]
    """The client's address: equal for requests of one connection."""
    started: asyncio.Event = field(default_factory=asyncio.Event)
    """Status line and headers are sent."""
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Bill:
    """Tokens that a provider would charge. Unfinished: its input and what was sent."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: "Bill") -> "Bill":
        return Bill(
            self.requests + other.requests,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
        )
