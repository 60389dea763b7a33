"""What the stub can be told to do with a request. Data only; the dialects turn it into bytes."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Pause = float | asyncio.Event | asyncio.Semaphore
"""Seconds, or until the event is set, or until the semaphore gives a permit. Tests use the latter
two, so that nothing in them depends on time."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens as the stub bills and reports them; `cached` is within `input`, `reasoning` within
    `output`."""

    input: int
    output: int
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`arguments` is a JSON object, as text."""

    name: str
    arguments: str = "{}"
    id: str = "call_stub1"


@dataclass(frozen=True, slots=True)
class Ok:
    """An answer. Each word of `text` is a piece of its own and counts as one token.

    Without `usage` the input counts a token for four bytes of messages, and `max_tokens` cuts the
    text. `first` is waited for before the response begins, `each` before every piece of text.
    """

    text: str | None = None
    """`None` is a sentence that names the model."""
    usage: Tokens | None = None
    finish: str | None = None
    """`None` is the proper one: `stop`, `length` or `tool_calls`."""
    reasoning: str = ""
    refusal: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    first: Pause | None = None
    each: Pause | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


EMPTY: Final = Ok(text="")
"""Status 200 and nothing in it."""


@dataclass(frozen=True, slots=True)
class Status:
    """An error response, in the dialect's shape unless `body` says otherwise."""

    code: int
    message: str | None = None
    error_type: str | None = None
    error_code: str | None = None
    param: str | None = None
    retry_after: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    first: Pause | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """`answer`, which goes wrong after `after` of its pieces.

    `after`: `None` is before the response begins, 0 with the headers alone sent; of OpenAI's
    streams piece 1 holds the role, 2 the first word. Of an answer that is not a stream only
    the first half is ever sent.
    `how`: `close` and `reset` are a FIN and a RST of TCP; `end` completes the HTTP response there;
    `stall` sends nothing more until the client goes or the stub ends; `malformed` sends a piece
    that is not JSON; `error` sends the dialect's in-band error, then completes.
    """

    how: Literal["close", "reset", "end", "stall", "malformed", "error"]
    after: int | None = 2
    answer: Ok = Ok()
    then: Pause | None = None
    """Waited for between the last piece and the mishap."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Exactly these bytes as the body, each segment in a write of its own."""

    segments: tuple[bytes, ...]
    content_type: str = "text/event-stream"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    each: Pause | None = None


Behaviour = Ok | Status | Broken | Raw
