"""Reads a request: which of its fields have words in other dialects, and which none.

A field without is dropped only where the answer stays what was asked for; else it is named.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from penstock_sidecar.dialects.anthropic.blocks import read_turns
from penstock_sidecar.dialects.anthropic.schema import is_exact
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
    "format": "output_config.format",
    "stop": "stop_sequences",
    "user": "metadata.user_id",
    "reasoning_effort": "output_config.effort",
    "reasoning_budget": "thinking.budget_tokens",
}
TRANSLATED: Final = frozenset(
    "model messages system max_tokens stream tools tool_choice stop_sequences temperature top_p"  # noqa: SIM905  # words
    " top_k thinking output_config metadata".split()
)
HARMLESS: Final = frozenset(
    "cache_control context_management diagnostics service_tier speed user_profile_id"  # noqa: SIM905  # words
    " workspace_id".split()
)
"""Speak of billing, caching, speed, or of what old turns may be forgotten."""
NEUTRAL: Final[Mapping[str, tuple[object, ...]]] = {
    "inference_geo": ("global",),
    "mcp_servers": ([],),
}
"""Have no words elsewhere, but these values ask for nothing."""
EFFORTS: Final[Mapping[str, Effort]] = {
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
    "max": "xhigh",
}
OWN_TOOLS: Final = (None, "custom")
"""The caller describes and runs them himself."""
DIRECT: Final[tuple[object, ...]] = (None, [], ["direct"])


def read_messages(document: JsonObject) -> Prompt:
    """Raises `Unspeakable`."""
    refuse_unknown(document, TRANSLATED, HARMLESS, NEUTRAL)
    return Prompt(
        turns=tuple(read_turns(document)),
        tools=tuple(_tools(document)),
        tool_choice=_tool_choice(document),
        format=_format(document),
        max_output_tokens=integer_field(document, "max_tokens"),
        sampling=Sampling(
            temperature=number_field(document, "temperature"),
            top_p=number_field(document, "top_p"),
            top_k=integer_field(document, "top_k"),
            stop=stop_of(document.get("stop_sequences"), "stop_sequences"),
        ),
        reasoning=_reasoning(document),
        user=string_of(object_of(document.get("metadata")).get("user_id")) or None,
        spelled=SPELLED,
    )


def _tools(document: JsonObject) -> Iterator[Tool]:
    for index, tool in objects_of(document.get("tools")):
        where = f"tools[{index}]"
        if tool.get("type") not in OWN_TOOLS:
            raise Unspeakable(
                f"{where}.type", " unless it is `custom` or absent", "remove the tool"
            )
        if tool.get("allowed_callers") not in DIRECT:
            raise Unspeakable(f"{where}.allowed_callers")
        schema = object_of(tool.get("input_schema"))
        yield Tool(
            string_of(tool.get("name")),
            string_of(tool.get("description")) or None,
            schema,
            strict=tool.get("strict") is True and is_exact(schema),
            where=where,
        )


def _tool_choice(document: JsonObject) -> ToolChoice:
    choice = object_of(document.get("tool_choice"))
    parallel = choice.get("disable_parallel_tool_use") is not True
    match choice:
        case {"type": "auto"}:
            return ToolChoice("auto", parallel=parallel)
        case {"type": "any"}:
            return ToolChoice("required", parallel=parallel)
        case {"type": "tool", "name": str(name)}:
            return ToolChoice("one", name, parallel)
        case {"type": "none"}:
            return ToolChoice("none")
        case _ if choice:
            raise Odd("tool_choice", "of type `auto`, `any`, `tool` or `none`")
        case _:
            return ToolChoice()


def _format(document: JsonObject) -> Format | None:
    match object_of(document.get("output_config")).get("format"):
        case None:
            return None
        case {"type": "json_schema", "schema": Mapping() as schema}:
            return Format(schema, strict=is_exact(schema))
        case _:
            raise Unspeakable("output_config.format")


def _reasoning(document: JsonObject) -> Reasoning | None:
    effort = _effort(document)
    thinking = object_of(document.get("thinking"))
    shown = thinking.get("display") != "omitted"
    match thinking.get("type"):
        case None:
            return Reasoning(effort) if effort else None
        case "disabled":
            return Reasoning("none", shown=False)
        case "enabled":
            budget = integer_field(thinking, "budget_tokens", "thinking.budget_tokens")
            return Reasoning(effort, budget, shown=shown)
        case "adaptive" | "between_tools":
            return Reasoning(effort, shown=shown)
        case _:
            raise Unspeakable("thinking.type")


def _effort(document: JsonObject) -> Effort | None:
    said = object_of(document.get("output_config")).get("effort")
    if said is None:
        return None
    if not isinstance(said, str) or said not in EFFORTS:
        raise Odd("output_config.effort", f"one of {', '.join(EFFORTS)}")
    return EFFORTS[said]
