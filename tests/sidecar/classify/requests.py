"""Requests of every API that say the same."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from penstock_sidecar.model import Request
from penstock_sidecar.normalise.anthropic import parse_messages
from penstock_sidecar.normalise.ollama import parse_generate, parse_ollama_chat
from penstock_sidecar.normalise.openai import parse_chat
from penstock_sidecar.normalise.openai_completions import parse_completion
from penstock_sidecar.normalise.openai_responses import parse_response

Parse = Callable[[bytes, Mapping[str, str], str], Request]


def parsed(parse: Parse, document: object, **headers: str) -> Request:
    """Header names with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return parse(orjson.dumps(document), named, "call-1")


def chat(*texts: str, model: str = "auto", **headers: str) -> Request:
    """A conversation: user and assistant by turns; with the system's words first where there is
    an even number."""
    roles = ("user", "assistant") if len(texts) % 2 else ("assistant", "user")
    messages = [{"role": roles[place % 2], "content": text} for place, text in enumerate(texts)]
    if len(texts) % 2 == 0:
        messages[0]["role"] = "system"
    return parsed(parse_chat, {"model": model, "messages": messages}, **headers)


def in_every_api(text: str) -> Mapping[str, Request]:
    """The same one question, by the API's name."""
    user = {"role": "user", "content": text}
    parts = {"role": "user", "content": [{"type": "text", "text": text}]}
    items = {"role": "user", "content": [{"type": "input_text", "text": text}]}
    asked: Mapping[str, tuple[Parse, dict[str, Any]]] = {
        "openai-chat": (parse_chat, {"messages": [user]}),
        "openai-chat, parts": (parse_chat, {"messages": [parts]}),
        "openai-completions": (parse_completion, {"prompt": text}),
        "openai-completions, list": (parse_completion, {"prompt": [text]}),
        "openai-responses": (parse_response, {"input": text}),
        "openai-responses, items": (parse_response, {"input": [items]}),
        "anthropic-messages": (parse_messages, {"messages": [user], "max_tokens": 100}),
        "anthropic-messages, blocks": (parse_messages, {"messages": [parts], "max_tokens": 100}),
        "ollama-chat": (parse_ollama_chat, {"messages": [user]}),
        "ollama-generate": (parse_generate, {"prompt": text}),
    }
    return {
        name: parsed(parse, {"model": "auto", **document})
        for name, (parse, document) in asked.items()
    }
