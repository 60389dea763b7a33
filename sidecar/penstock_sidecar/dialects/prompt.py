"""What a chat request asks for, in no dialect's words. Never printed: it is the caller's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from penstock_sidecar.model import JsonObject

Role = Literal["system", "user", "assistant"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]


@dataclass(frozen=True, slots=True, repr=False)
class Text:
    text: str
    where: str = ""
    """Path in the caller's document, for errors: `messages[2].content[0]`. So in all parts."""


@dataclass(frozen=True, slots=True, repr=False)
class Image:
    """Either `data` (base64) with its `media_type`, or the `url` of somewhere else."""

    data: str = ""
    media_type: str = ""
    url: str = ""
    detail: str | None = None
    """`low`, `high` or `auto`: OpenAI's; others see as they see."""
    where: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Audio:
    """`data` in base64; `format` is `wav` or `mp3`."""

    data: str
    format: str
    where: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class File:
    """A document, such as a PDF: `data` (base64) with its `media_type`, or a `url`."""

    data: str = ""
    media_type: str = ""
    url: str = ""
    name: str | None = None
    where: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Thought:
    """Reasoning of a former answer. `signature` proves to its provider that it is the provider's
    own; `redacted` is thought that only the provider can read."""

    text: str
    signature: str | None = None
    redacted: str | None = None
    where: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Refusal:
    """What the model refused to say, in its words."""

    text: str
    where: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class ToolCall:
    """`arguments` is JSON text. `signature` is Gemini's, of the thought that led to the call."""

    id: str
    name: str
    arguments: str
    signature: str | None = None
    where: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class ToolResult:
    """`name` is the tool's, where a former call of the conversation tells it."""

    call_id: str
    parts: tuple["Text | Image | File", ...]
    name: str = ""
    failed: bool = False
    where: str = ""


Part: TypeAlias = Text | Image | Audio | File | Thought | Refusal | ToolCall | ToolResult


@dataclass(frozen=True, slots=True, repr=False)
class Turn:
    """Tool results are parts of a user's turn."""

    role: Role
    parts: tuple[Part, ...]
    where: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Tool:
    """A function of the caller's. `parameters` is a JSON schema."""

    name: str
    description: str | None
    parameters: JsonObject
    strict: bool = False
    where: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class ToolChoice:
    """`one` names the tool that must be called."""

    mode: Literal["auto", "none", "required", "one"] = "auto"
    name: str = ""
    parallel: bool = True
    """False: at most one call in an answer."""


@dataclass(frozen=True, slots=True, repr=False)
class Format:
    """What the answer must look like; `schema` of `None` is any JSON object."""

    schema: JsonObject | None = None
    name: str = "answer"
    description: str | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Reasoning:
    """How much to think, by `effort` or by tokens; whether the thoughts are wanted back."""

    effort: Effort | None = None
    budget_tokens: int | None = None
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Sampling:
    """`None` leaves it to the provider."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None
    stop: tuple[str, ...] = ()
    choices: int = 1
    logprobs: bool = False
    top_logprobs: int | None = None
    logit_bias: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Prompt:
    """System turns may stand anywhere; turns need not alternate."""

    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ToolChoice()
    format: Format | None = None
    max_output_tokens: int | None = None
    sampling: Sampling = Sampling()
    reasoning: Reasoning | None = None
    user: str | None = None
    spelled: Mapping[str, str] = field(default_factory=dict)
    """What the caller calls fields whose names differ: `{"format": "response_format"}`."""

    def name_of(self, field_name: str) -> str:
        """Path of the field in the caller's document."""
        return self.spelled.get(field_name, field_name)
