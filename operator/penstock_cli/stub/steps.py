"""A response as the server performs it: headers, then steps (`script` writes them)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from penstock_cli.stub.behaviour import Pause, Tokens


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes of the body, and how many output tokens they hold."""

    data: bytes
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    until: Pause


@dataclass(frozen=True, slots=True)
class Quit:
    """Leave the response unfinished (see `Broken.how`)."""

    how: Literal["close", "reset", "end", "stall"]


Step = Send | Wait | Quit


@dataclass(frozen=True, slots=True)
class Response:
    """`before` runs ahead of status line and headers. `bill` is what a finished answer costs."""

    status: int
    content_type: str
    steps: tuple[Step, ...]
    before: tuple[Step, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    """Content-Length; `None` is a chunked body."""
    bill: Tokens | None = None
    """`None` is free, as an error is."""
