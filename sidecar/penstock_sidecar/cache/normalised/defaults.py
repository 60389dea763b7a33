"""What callers may say or leave out: the fields of each API whose default its reference states.

A default that depends on the model, as Ollama's do, is not here: said and unsaid are two requests.
"""

from collections.abc import Mapping
from typing import Final

from penstock_sidecar.model import Api, JsonObject

OPENAI_SAMPLING: Final = {"temperature": 1, "top_p": 1}
OPENAI: Final = {
    **OPENAI_SAMPLING,
    "n": 1,
    "frequency_penalty": 0,
    "presence_penalty": 0,
}
DEFAULTS: Final[Mapping[Api, Mapping[str, object]]] = {
    "openai-chat": {
        **OPENAI,
        "logprobs": False,
        "response_format": {"type": "text"},
        "modalities": ["text"],
    },
    "openai-completions": {**OPENAI, "best_of": 1, "echo": False},
    "openai-responses": {
        **OPENAI_SAMPLING,
        "parallel_tool_calls": True,
        "truncation": "disabled",
        "text": {"format": {"type": "text"}},
    },
    "openai-embeddings": {"encoding_format": "float"},
    "anthropic-messages": {"temperature": 1},
}
UNSET: Final = (
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "seed",
    "stop",
    "logit_bias",
    "top_logprobs",
    "tools",
    "tool_choice",
    "instructions",
    "reasoning",
    "suffix",
)
NULLABLE: Final[Mapping[Api, frozenset[str]]] = {
    api: frozenset((*fields, *UNSET))
    for api, fields in DEFAULTS.items()
    if api.startswith("openai-")
}
"""`null` says as much as nothing."""
WITH_TOOLS: Final[Mapping[Api, Mapping[str, object]]] = {
    "openai-chat": {"tool_choice": "auto", "parallel_tool_calls": True},
    "openai-responses": {"tool_choice": "auto"},
    "anthropic-messages": {"tool_choice": {"type": "auto"}},
}
"""Defaults where there are tools."""
NUMBERS: Final = frozenset(
    {"temperature", "top_p", "frequency_penalty", "presence_penalty", "min_p"}
)
"""Fields that are numbers however they are written: 0 is 0.0."""


def without_defaults(document: JsonObject, api: Api) -> dict[str, object]:
    defaults = dict(DEFAULTS.get(api, {}))
    if document.get("tools"):
        defaults |= WITH_TOOLS.get(api, {})
    nullable = NULLABLE.get(api, frozenset())
    return {
        name: _number(value) if name in NUMBERS else value
        for name, value in document.items()
        if not (
            (value is None and name in nullable)
            or (name in defaults and _same(value, defaults[name]))
        )
    }


def _same(value: object, default: object) -> bool:
    """A number is no truth value."""
    return value == default and isinstance(value, bool) is isinstance(default, bool)


def _number(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value
