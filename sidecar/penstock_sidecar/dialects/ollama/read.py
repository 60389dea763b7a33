"""Reads a chat request: which of its fields have words in other dialects, and which none."""

from collections.abc import Iterator, Mapping
from typing import Final

from penstock_sidecar.dialects.dialect import Odd, Unspeakable
from penstock_sidecar.dialects.fields import (
    object_of,
    objects_of,
    refuse_unknown,
    string_of,
)
from penstock_sidecar.dialects.ollama.messages import read_turns
from penstock_sidecar.dialects.ollama.options import num_predict_of, sampling_of
from penstock_sidecar.dialects.prompt import Effort, Format, Prompt, Reasoning, Tool, Turn
from penstock_sidecar.model import JsonObject

SPELLED: Final = {
    "reasoning_effort": "think",
    "reasoning_budget": "think",
    "repetition_penalty": "options.repeat_penalty",
    **{
        name: f"options.{name}"
        for name in (
            "temperature top_p top_k min_p seed stop frequency_penalty presence_penalty".split()  # noqa: SIM905  # words
        )
    },
}
COMMON: Final = frozenset(
    "model stream format options think logprobs top_logprobs user".split()  # noqa: SIM905  # words
)
TRANSLATED: Final = COMMON | {"messages", "tools"}
HARMLESS: Final = frozenset({"keep_alive", "truncate", "shift", "metadata"})
"""Speak of loading, which is the platform's to say, and of what happens where the context is full,
which others answer with an error."""
NEUTRAL: Final[Mapping[str, tuple[object, ...]]] = {}
"""Fields without words elsewhere, of which these values ask for nothing."""
EFFORTS: Final[Mapping[object, Effort]] = {
    "low": "low",
    "medium": "medium",
    "high": "high",
    "max": "xhigh",
}


def read_chat(document: JsonObject) -> Prompt:
    """Raises `Unspeakable`."""
    refuse_unknown(document, TRANSLATED, HARMLESS, NEUTRAL)
    return prompt_of(document, read_turns(document.get("messages")), tuple(_tools(document)))


def prompt_of(document: JsonObject, turns: Iterator[Turn], tools: tuple[Tool, ...] = ()) -> Prompt:
    """With what chat and generate have in common."""
    return Prompt(
        turns=tuple(turns),
        tools=tools,
        format=_format(document.get("format")),
        max_output_tokens=num_predict_of(document),
        sampling=sampling_of(document),
        reasoning=_reasoning(document.get("think")),
        user=string_of(document.get("user")) or None,
        spelled=SPELLED,
    )


def _tools(document: JsonObject) -> Iterator[Tool]:
    for index, tool in objects_of(document.get("tools")):
        where = f"tools[{index}]"
        match tool:
            case {"function": {"name": str(name), **function}}:
                description = string_of(function.get("description")) or None
                parameters = object_of(function.get("parameters"))
                yield Tool(name, description, parameters, where=where)
            case _:
                raise Unspeakable(f"{where}.function")


def _format(value: object) -> Format | None:
    match value:
        case None | "":
            return None
        case "json":
            return Format()
        case Mapping():
            return Format(value)
        case _:
            raise Odd("format", "`json` or a schema")


def _reasoning(value: object) -> Reasoning | None:
    """Ollama takes `true` for `medium`, where a model knows degrees."""
    if value is None:
        return None
    if isinstance(value, bool):
        return Reasoning("medium") if value else Reasoning("none", shown=False)
    if not isinstance(value, str) or value not in EFFORTS:
        raise Odd("think", f"a boolean or one of {', '.join(map(str, EFFORTS))}")
    return Reasoning(EFFORTS[value])
