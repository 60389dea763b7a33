"""What a prompt may ask for beyond plain text, so that each provider can say what it lacks.

docs/translation.md is written from these names and from each writer's `Lacks`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from penstock_sidecar.dialects.prompt import (
    Audio,
    File,
    Image,
    Part,
    Prompt,
    Refusal,
    Sampling,
    Text,
    Thought,
    ToolResult,
    Turn,
)


class Feature(StrEnum):
    """The value is what people read."""

    IMAGE_DATA = "images as data"
    IMAGE_URL = "images by URL"
    IMAGE_DETAIL = "an image's level of detail"
    AUDIO = "sound"
    FILE_DATA = "files as data"
    FILE_URL = "files by URL"
    LATE_SYSTEM = "system messages after the first turn"
    THOUGHTS = "thoughts of former answers"
    SIGNED_THOUGHTS = "signed thoughts of former answers"
    RESULT_IMAGES = "images in tool results"
    RESULT_FAILED = "tool results marked as failed"
    TOOLS = "tools"
    STRICT_TOOLS = "strict tool schemas"
    TOOL_REQUIRED = "a tool call that must happen"
    TOOL_NAMED = "a tool that must be called"
    ONE_CALL = "one tool call at most"
    JSON = "any JSON object"
    SCHEMA = "JSON by a schema"
    CHOICES = "several answers at once"
    LOGPROBS = "log probabilities"
    LOGIT_BIAS = "logit biases"
    STOP = "stop sequences"
    TEMPERATURE = "temperature"
    TOP_P = "nucleus sampling"
    TOP_K = "top-k sampling"
    MIN_P = "min-p sampling"
    SEED = "a seed"
    FREQUENCY_PENALTY = "frequency penalty"
    PRESENCE_PENALTY = "presence penalty"
    REPETITION_PENALTY = "repetition penalty"
    EFFORT = "reasoning effort"
    REASONING_TOKENS = "a budget of reasoning tokens"
    USER = "the end user's name"
    COUNTED = "inputs as tokens"
    DIMENSIONS = "a vector's dimensions"
    TASK = "what a vector is for"
    CUT = "long inputs cut to fit"
    UNCUT = "an error for inputs that are too long"


@dataclass(frozen=True, slots=True)
class Lacks:
    """What a provider's dialect has no words for. `refused` would change the answer, so the caller
    must know; `dropped` only its style, cost or bookkeeping; `altered` is said as near to it as the
    dialect can. `most_inputs` is how many texts it embeds at once."""

    refused: frozenset[Feature] = frozenset()
    dropped: frozenset[Feature] = frozenset()
    most_inputs: int | None = None
    altered: frozenset[Feature] = frozenset()


_SAMPLING: Final = {
    "temperature": Feature.TEMPERATURE,
    "top_p": Feature.TOP_P,
    "top_k": Feature.TOP_K,
    "min_p": Feature.MIN_P,
    "seed": Feature.SEED,
    "frequency_penalty": Feature.FREQUENCY_PENALTY,
    "presence_penalty": Feature.PRESENCE_PENALTY,
    "repetition_penalty": Feature.REPETITION_PENALTY,
    "logit_bias": Feature.LOGIT_BIAS,
    "stop": Feature.STOP,
    "logprobs": Feature.LOGPROBS,
    "top_logprobs": Feature.LOGPROBS,
}
_NEUTRAL_ZERO: Final = frozenset({"frequency_penalty", "presence_penalty", "top_logprobs"})
"""Zero asks for nothing."""


def features_of(prompt: Prompt) -> Iterator[tuple[Feature, str]]:
    """Each with its path in the caller's document."""
    yield from _of_turns(prompt.turns)
    yield from _of_tools(prompt)
    yield from _of_sampling(prompt.sampling, prompt)
    if prompt.format is not None:
        feature = Feature.JSON if prompt.format.schema is None else Feature.SCHEMA
        yield feature, prompt.name_of("format")
    if prompt.reasoning and prompt.reasoning.effort is not None:
        yield Feature.EFFORT, prompt.name_of("reasoning_effort")
    if prompt.reasoning and prompt.reasoning.budget_tokens is not None:
        yield Feature.REASONING_TOKENS, prompt.name_of("reasoning_budget")
    if prompt.user is not None:
        yield Feature.USER, prompt.name_of("user")


def _of_turns(turns: tuple[Turn, ...]) -> Iterator[tuple[Feature, str]]:
    begun = False
    for turn in turns:
        if turn.role == "system" and begun:
            yield Feature.LATE_SYSTEM, turn.where
        begun = begun or turn.role != "system"
        for part in turn.parts:
            yield from _of_part(part)


def _of_part(part: Part) -> Iterator[tuple[Feature, str]]:
    match part:
        case Image():
            yield (Feature.IMAGE_URL if part.url else Feature.IMAGE_DATA), part.where
            if part.detail not in {None, "auto"}:
                yield Feature.IMAGE_DETAIL, part.where
        case Audio():
            yield Feature.AUDIO, part.where
        case File():
            yield (Feature.FILE_URL if part.url else Feature.FILE_DATA), part.where
        case Thought():
            signed = part.signature or part.redacted
            yield (Feature.SIGNED_THOUGHTS if signed else Feature.THOUGHTS), part.where
        case ToolResult():
            yield from _of_result(part)
        case Text() | Refusal() | _:
            return


def _of_result(result: ToolResult) -> Iterator[tuple[Feature, str]]:
    if result.failed:
        yield Feature.RESULT_FAILED, result.where
    for part in result.parts:
        if isinstance(part, Image):
            yield Feature.RESULT_IMAGES, part.where
        elif isinstance(part, File):
            yield from _of_part(part)


def _of_tools(prompt: Prompt) -> Iterator[tuple[Feature, str]]:
    choice = prompt.tool_choice
    if not prompt.tools:
        return
    yield Feature.TOOLS, prompt.name_of("tools")
    for tool in prompt.tools:
        if tool.strict:
            yield Feature.STRICT_TOOLS, tool.where
    if choice.mode == "required":
        yield Feature.TOOL_REQUIRED, prompt.name_of("tool_choice")
    if choice.mode == "one":
        yield Feature.TOOL_NAMED, prompt.name_of("tool_choice")
    if not choice.parallel:
        yield Feature.ONE_CALL, prompt.name_of("parallel_tool_calls")


def _of_sampling(sampling: Sampling, prompt: Prompt) -> Iterator[tuple[Feature, str]]:
    if sampling.choices > 1:
        yield Feature.CHOICES, prompt.name_of("choices")
    for name, feature in _SAMPLING.items():
        value = getattr(sampling, name)
        if value is None or value is False or value in ((), {}):
            continue
        if name in _NEUTRAL_ZERO and value == 0:
            continue
        yield feature, prompt.name_of(name)
