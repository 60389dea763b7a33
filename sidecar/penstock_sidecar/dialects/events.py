"""What an answer says, piece by piece, in no dialect's words; a plain one is few large pieces."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from penstock_sidecar.model import JsonObject, Usage
from penstock_sidecar.values import dataclass

Finish = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, slots=True)
class Started:
    """The first piece, once. `id` and `model` are the provider's, empty where it says none."""

    id: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class TextPiece:
    text: str
    choice: int = 0
    logprobs: tuple[JsonObject, ...] = ()
    """Of these tokens, in OpenAI's shape (`token`, `logprob`, `bytes`, `top_logprobs`)."""


@dataclass(frozen=True, slots=True, repr=False)
class RefusalPiece:
    text: str
    choice: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class ThoughtPiece:
    """`signature` closes a thought; `redacted` is a whole one that only the provider can read."""

    text: str = ""
    signature: str | None = None
    redacted: str | None = None
    choice: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class CallPiece:
    """A tool call begins (with `name`), or goes on. `index` counts the calls of a choice from 0."""

    index: int
    id: str = ""
    """Empty where the provider gives none."""
    name: str = ""
    arguments: str = ""
    """The next characters of the JSON text."""
    signature: str | None = None
    choice: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Vector:
    """A whole embedding of one input, counted from 0. `values` are numbers, or base64 of 32-bit
    floats, little end first, as the provider sent them."""

    index: int
    values: Sequence[float] | str


@dataclass(frozen=True, slots=True)
class OtherPiece:
    """Content that has no words here, such as sound: only passages carry it."""

    choice: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """A choice is complete. `stop_sequence` is the one that ended it."""

    reason: Finish
    choice: int = 0
    stop_sequence: str | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """Usage so far; the last one holds."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing follows."""


Event: TypeAlias = (
    Started
    | TextPiece
    | RefusalPiece
    | ThoughtPiece
    | CallPiece
    | Vector
    | OtherPiece
    | Finished
    | Counted
    | Ended
)
