"""Reads a request: which of its fields have words in other dialects, and which none.

A field without is dropped only where the answer stays what was asked for; else it is named. What a
former response said is in `input` already, where it was kept (see `responses`).
"""

from collections.abc import Iterator, Mapping
from typing import Final, cast, get_args

from penstock_sidecar.dialects.dialect import Odd, Unspeakable
from penstock_sidecar.dialects.fields import (
    integer_field,
    list_of,
    number_field,
    object_of,
    objects_of,
    refuse_unknown,
    string_of,
)
from penstock_sidecar.dialects.openai_responses.items import read_turns
from penstock_sidecar.dialects.prompt import (
    Effort,
    Format,
    Prompt,
    Reasoning,
    Sampling,
    Text,
    Tool,
    ToolChoice,
    Turn,
)
from penstock_sidecar.model import JsonObject

SPELLED: Final = {
    "messages": "input",
    "format": "text.format",
    "reasoning_effort": "reasoning.effort",
    "logprobs": "include",
}
TRANSLATED: Final = frozenset(
    "model input instructions stream stream_options tools tool_choice parallel_tool_calls text"  # noqa: SIM905  # words
    " reasoning max_output_tokens temperature top_p top_logprobs include user".split()
)
HARMLESS: Final = frozenset(
    "metadata store service_tier safety_identifier prompt_cache_key prompt_cache_retention"  # noqa: SIM905  # words
    " prompt_cache_options max_tool_calls truncation".split()
)
"""Speak of billing, caching, hosted tools, or of what becomes of an input that is too long: that
is said by an error then."""
NEUTRAL: Final[Mapping[str, tuple[object, ...]]] = {
    "background": (False,),
    "context_management": ([],),
}
"""Have no words elsewhere, but these values ask for nothing."""
LOGPROBS: Final = "message.output_text.logprobs"
NO_THOUGHT: Final = frozenset({"effort", "summary", "generate_summary", "context"})
"""Fields of `reasoning`; `context` says which of OpenAI's own thoughts it may read again."""


class Unfound(Unspeakable):
    """A former response that is not kept here; only its maker may still know it."""

    code = "previous_response_not_found"

    def __init__(self, response_id: str) -> None:
        super().__init__("previous_response_id")
        self._id = response_id

    def public(self, provider_type: str) -> str:  # noqa: ARG002  # the same for all
        return f"Previous response with id '{self._id}' not found."


def read_request(document: JsonObject) -> Prompt:
    """Raises `Unspeakable`."""
    if isinstance(former := document.get("previous_response_id"), str):
        raise Unfound(former)
    refuse_unknown(document, TRANSLATED, HARMLESS, NEUTRAL)
    return Prompt(
        turns=(*_instructions(document), *read_turns(document.get("input"))),
        tools=tuple(_tools(document)),
        tool_choice=_tool_choice(document),
        format=_format(object_of(document.get("text"))),
        max_output_tokens=integer_field(document, "max_output_tokens"),
        sampling=_sampling(document),
        reasoning=_reasoning(object_of(document.get("reasoning"))),
        user=string_of(document.get("user")) or None,
        spelled=SPELLED,
    )


def _instructions(document: JsonObject) -> Iterator[Turn]:
    if text := string_of(document.get("instructions")):
        yield Turn("system", (Text(text, "instructions"),), "instructions")


def _tools(document: JsonObject) -> Iterator[Tool]:
    for index, tool in objects_of(document.get("tools")):
        where = f"tools[{index}]"
        match tool:
            case {"type": "function", "name": str(name)}:
                yield Tool(
                    name,
                    string_of(tool.get("description")) or None,
                    object_of(tool.get("parameters")),
                    strict=tool.get("strict") is True,
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
        case {"type": "function", "name": str(name)}:
            return ToolChoice("one", name, parallel)
        case _:
            raise Odd("tool_choice", "`none`, `auto`, `required` or one function")


def _format(text: JsonObject) -> Format | None:
    match text.get("format"):
        case None | {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return Format()
        case {"type": "json_schema", "schema": dict(schema), **more}:
            return Format(
                schema,
                string_of(more.get("name")) or "answer",
                string_of(more.get("description")) or None,
                strict=more.get("strict") is True,
            )
        case _:
            raise Odd("text.format", "of type `text`, `json_object` or `json_schema`")


def _sampling(document: JsonObject) -> Sampling:
    most = integer_field(document, "top_logprobs") or None
    wanted = LOGPROBS in list_of(document.get("include"))
    return Sampling(
        temperature=number_field(document, "temperature"),
        top_p=number_field(document, "top_p"),
        logprobs=wanted,
        top_logprobs=most if wanted else None,
    )


def _reasoning(given: JsonObject) -> Reasoning | None:
    """Thoughts are told where a summary is asked for."""
    for name, value in given.items():
        if name not in NO_THOUGHT and value not in (None, "standard"):
            raise Unspeakable(f"reasoning.{name}")
    effort = given.get("effort")
    summary = given.get("summary") or given.get("generate_summary")
    if effort is None and summary is None:
        return None
    if effort is not None and effort not in get_args(Effort):
        raise Odd("reasoning.effort", f"one of {', '.join(get_args(Effort))}")
    return Reasoning(cast("Effort | None", effort), shown=summary is not None)
