"""Reads a request: which of its fields have words in other dialects, and which none.

A field without is dropped only where the answer stays what was asked for; else it is named.
"""

from collections.abc import Iterator, Mapping
from typing import Final, cast, get_args

from penstock_sidecar.dialects.dialect import Odd, Unspeakable
from penstock_sidecar.dialects.fields import (
    integer_field,
    number_field,
    object_of,
    objects_of,
    refuse_unknown,
    stop_of,
    string_of,
)
from penstock_sidecar.dialects.openai_chat.messages import read_turns
from penstock_sidecar.dialects.prompt import (
    Effort,
    Format,
    Prompt,
    Reasoning,
    Sampling,
    Tool,
    ToolChoice,
)
from penstock_sidecar.model import JsonObject

SPELLED: Final = {
    "format": "response_format",
    "choices": "n",
    "repetition_penalty": "repeat_penalty",
    "reasoning_budget": "reasoning_effort",
}
TRANSLATED: Final = frozenset(
    "model messages stream stream_options tools tool_choice parallel_tool_calls response_format"  # noqa: SIM905  # words, not forty lines
    " stop reasoning_effort max_tokens max_completion_tokens n logprobs top_logprobs logit_bias"
    " user temperature top_p top_k min_p seed frequency_penalty presence_penalty repeat_penalty"
    " repetition_penalty".split()
)
HARMLESS: Final = frozenset(
    "metadata store service_tier safety_identifier prompt_cache_key prompt_cache_retention"  # noqa: SIM905  # words
    " prompt_cache_options prediction verbosity keep_alive".split()
)
"""Speak of billing, caching or style; how long a model stays loaded is the platform's to say."""
NEUTRAL: Final[Mapping[str, tuple[object, ...]]] = {
    "modalities": (["text"],),
    "functions": ([],),
    "function_call": ("none", "auto"),
}
"""Have no words elsewhere, but these values ask for nothing."""


def read_chat(document: JsonObject) -> Prompt:
    """Raises `Unspeakable`."""
    refuse_unknown(document, TRANSLATED, HARMLESS, NEUTRAL)
    limits = [document.get(name) for name in ("max_completion_tokens", "max_tokens")]
    return Prompt(
        turns=tuple(read_turns(document.get("messages"))),
        tools=tuple(_tools(document)),
        tool_choice=_tool_choice(document),
        format=_format(document),
        max_output_tokens=min((n for n in limits if isinstance(n, int)), default=None),
        sampling=_sampling(document),
        reasoning=_reasoning(document),
        user=string_of(document.get("user")) or None,
        spelled=SPELLED,
    )


def _tools(document: JsonObject) -> Iterator[Tool]:
    for index, tool in objects_of(document.get("tools")):
        where = f"tools[{index}]"
        match tool:
            case {"type": "function", "function": {"name": str(name), **function}}:
                yield Tool(
                    name,
                    string_of(function.get("description")) or None,
                    object_of(function.get("parameters")),
                    strict=function.get("strict") is True,
                    where=where,
                )
            case _:
                raise Unspeakable(f"{where}.type", " unless it is `function`", "remove the tool")


def _tool_choice(document: JsonObject) -> ToolChoice:
    parallel = document.get("parallel_tool_calls") is not False
    match document.get("tool_choice"):
        case None | "auto":
            return ToolChoice("auto", parallel=parallel)
        case "none":
            return ToolChoice("none")
        case "required":
            return ToolChoice("required", parallel=parallel)
        case {"type": "function", "function": {"name": str(name)}}:
            return ToolChoice("one", name, parallel)
        case _:
            raise Odd("tool_choice", "`none`, `auto`, `required` or one function")


def _format(document: JsonObject) -> Format | None:
    match document.get("response_format"):
        case None | {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return Format()
        case {"type": "json_schema", "json_schema": {"schema": Mapping() as schema, **more}}:
            return Format(
                schema,
                string_of(more.get("name")) or "answer",
                string_of(more.get("description")) or None,
                strict=more.get("strict") is True,
            )
        case _:
            raise Odd("response_format", "of type `text`, `json_object` or `json_schema`")


def _sampling(document: JsonObject) -> Sampling:
    repetition = number_field(document, "repetition_penalty")
    return Sampling(
        temperature=number_field(document, "temperature"),
        top_p=number_field(document, "top_p"),
        top_k=integer_field(document, "top_k"),
        min_p=number_field(document, "min_p"),
        seed=integer_field(document, "seed"),
        frequency_penalty=number_field(document, "frequency_penalty"),
        presence_penalty=number_field(document, "presence_penalty"),
        repetition_penalty=number_field(document, "repeat_penalty") or repetition,
        stop=stop_of(document.get("stop"), "stop"),
        choices=integer_field(document, "n") or 1,
        logprobs=document.get("logprobs") is True,
        top_logprobs=integer_field(document, "top_logprobs"),
        logit_bias=cast("Mapping[str, float]", object_of(document.get("logit_bias"))),
    )


def _reasoning(document: JsonObject) -> Reasoning | None:
    effort = document.get("reasoning_effort")
    if effort is None:
        return None
    if effort not in get_args(Effort):
        raise Odd("reasoning_effort", f"one of {', '.join(get_args(Effort))}")
    return Reasoning(cast("Effort", effort))
