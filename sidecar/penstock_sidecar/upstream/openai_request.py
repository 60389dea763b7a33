"""The body of a call in OpenAI's dialect: the caller's own, with what must differ."""

from typing import Final

import orjson

from penstock_sidecar.model import JsonObject, Request
from penstock_sidecar.upstream.base import Call

LIMIT_FIELDS: Final = ("max_completion_tokens", "max_tokens")
NUDGE: Final = {
    "role": "user",
    "content": "Your answer was empty. Please answer the message before this one.",
}


def chat_body(call: Call, limit_field: str) -> bytes:
    """The caller's bytes where nothing differs. `limit_field` is what the provider calls a bound on
    output that the caller did not set himself."""
    request = call.request
    changes: dict[str, object] = {}
    if request.model != call.candidate.model.upstream_name:
        changes["model"] = call.candidate.model.upstream_name
    if call.max_output_tokens is not None:
        changes |= _limits(request.document, call.max_output_tokens, limit_field)
    if request.stream and not request.usage_wanted:
        changes["stream_options"] = _with_usage(request)
    if call.nudge:
        changes["messages"] = nudged(request.document)
    if not changes:
        return request.body
    return orjson.dumps({**request.document, **changes})


NUDGE_BYTES: Final = len(orjson.dumps(NUDGE)) + 1
"""What a nudge adds to a request."""


def nudged(document: JsonObject) -> list[object]:
    messages = document.get("messages")
    return [*messages, NUDGE] if isinstance(messages, list) else [NUDGE]


def _limits(document: JsonObject, most: int, limit_field: str) -> dict[str, object]:
    """Lowers the caller's own limits to `most`, or sets one."""
    own = {name: document[name] for name in LIMIT_FIELDS if document.get(name) is not None}
    if not own:
        return {limit_field: most}
    return {name: most for name, value in own.items() if isinstance(value, int) and value > most}


def _with_usage(request: Request) -> dict[str, object]:
    options = request.document.get("stream_options")
    own = options if isinstance(options, dict) else {}
    return {**own, "include_usage": True}
