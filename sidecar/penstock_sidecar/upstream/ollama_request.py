"""From OpenAI's chat request to Ollama's `/api/chat` (docs/api.md of ollama/ollama, 0.12).

A field that Ollama cannot express is dropped only where the answer stays what was asked for; else
it is refused by name.
"""

from collections.abc import Mapping
from typing import Final

import orjson

from penstock_sidecar.model import JsonObject
from penstock_sidecar.upstream.base import Call
from penstock_sidecar.upstream.ollama_messages import ollama_messages
from penstock_sidecar.upstream.openai_request import LIMIT_FIELDS, nudged
from penstock_sidecar.upstream.unsupported import unsupported

OPTIONS: Final = frozenset(
    {
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "seed",
        "frequency_penalty",
        "presence_penalty",
        "repeat_penalty",
    }
)
"""Same name and meaning in Ollama's `options`."""
TRANSLATED: Final = frozenset(
    {
        "model",
        "messages",
        "stream",
        "stream_options",
        "tools",
        "tool_choice",
        "response_format",
        "stop",
        "reasoning_effort",
        *LIMIT_FIELDS,
    }
)
HARMLESS: Final = frozenset(
    {
        "user",
        "metadata",
        "store",
        "service_tier",
        "safety_identifier",
        "prompt_cache_key",
        "prompt_cache_retention",
        "prediction",
        "verbosity",
        "keep_alive",  # how long a model stays loaded is the platform's to say
    }
)
"""Speak of billing, caching or style; dropped."""
NEUTRAL: Final[Mapping[str, tuple[object, ...]]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "parallel_tool_calls": (True,),
    "modalities": (["text"],),
    "functions": ([],),
    "function_call": ("none", "auto"),
}
"""Cannot be expressed, but these values ask for nothing."""


def ollama_body(call: Call) -> bytes:
    """Raises `UpstreamUnsupported`."""
    document = call.request.document
    _refuse_inexpressible(document)
    messages = nudged(document) if call.nudge else document.get("messages")
    body: dict[str, object] = {
        "model": call.candidate.model.upstream_name,
        "messages": ollama_messages(messages),
        "stream": call.request.stream,
    }
    if tools := _tools(document):
        body["tools"] = tools
    if output_format := _format(document):
        body["format"] = output_format
    if options := _options(document, call.max_output_tokens):
        body["options"] = options
    effort = document.get("reasoning_effort")
    if effort is not None and "reasoning" in call.candidate.model.capabilities:
        body["think"] = False if effort == "none" else "low" if effort == "minimal" else effort
    return orjson.dumps(body)


def _refuse_inexpressible(document: JsonObject) -> None:
    for name, value in document.items():
        if value is None or name in TRANSLATED or name in OPTIONS or name in HARMLESS:
            continue
        if value not in NEUTRAL.get(name, ()):
            raise unsupported(name)


def _tools(document: JsonObject) -> list[object]:
    tools = document.get("tools") or []
    choice = document.get("tool_choice") or "auto"
    if not isinstance(tools, list):
        raise unsupported("tools")
    if choice == "none" or not tools:
        return []
    if choice != "auto":
        raise unsupported("tool_choice")
    for index, tool in enumerate(tools):
        if not isinstance(tool, dict) or tool.get("type") != "function":
            raise unsupported(f"tools[{index}].type")
    return tools


def _format(document: JsonObject) -> object:
    match document.get("response_format"):
        case None | {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return "json"
        case {"type": "json_schema", "json_schema": {"schema": {**schema}}}:
            return schema
        case _:
            raise unsupported("response_format")


def _options(document: JsonObject, most: int | None) -> dict[str, object]:
    options: dict[str, object] = {
        name: value for name in OPTIONS if (value := document.get(name)) is not None
    }
    if (stop := document.get("stop")) is not None:
        options["stop"] = [stop] if isinstance(stop, str) else stop
    limits = [limit for name in LIMIT_FIELDS if isinstance(limit := document.get(name), int)]
    limits += [] if most is None else [most]
    if limits:
        options["num_predict"] = min(limits)
    return options
