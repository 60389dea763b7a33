"""How errors are said: each dialect's clients read their own (gateways.md, section 2c)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import orjson
from aiohttp import web

from penstock_sidecar.errors import SidecarError
from penstock_sidecar.model import JsonObject

CONTEXT_TOO_LONG: Final = "context_length_exceeded"
TOO_LONG: Final = "prompt is too long"
SEQUENCE_NUMBER: Final = re.compile(rb'"sequence_number": ?(\d{1,9})\b')
OPENAI_PATHS: Final = ("/v1/chat/", "/v1/completions", "/v1/embeddings", "/v1/responses")
"""How those begin that are OpenAI's alone, whatever headers a client sends to everybody."""
OVERLOADED: Final = 529
"""Anthropic's status for what others call 503."""
ANTHROPIC_TYPES: Final[Mapping[int, str]] = {
    HTTPStatus.BAD_REQUEST: "invalid_request_error",
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.PAYMENT_REQUIRED: "billing_error",
    HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.NOT_FOUND: "not_found_error",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "request_too_large",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
    HTTPStatus.GATEWAY_TIMEOUT: "timeout_error",
    OVERLOADED: "overloaded_error",
}


@dataclass(frozen=True, slots=True)
class Speech:
    """`document` and `event` take the error and the call's id; an event ends the stream, and may
    depend on the last piece that was sent. `pulse`
    says that the stream is alive; nothing where a client would take it for a piece."""

    document: Callable[[SidecarError, str], JsonObject]
    event: Callable[[SidecarError, str, bytes], bytes]
    status: Callable[[SidecarError], int] = lambda error: error.status
    pulse: bytes = b""
    id_headers: tuple[str, ...] = ("x-request-id",)
    """Where clients look for the call's id."""


def speech_of(request: web.BaseRequest) -> Speech:
    """That of the API which the request is for."""
    if request.path.startswith("/api/"):
        return OLLAMA
    if request.path == "/v1/responses":
        return RESPONSES
    if request.path.startswith(OPENAI_PATHS):
        return OPENAI
    if request.path.startswith("/v1/messages") or "anthropic-version" in request.headers:
        return ANTHROPIC
    return OPENAI


def _openai(error: SidecarError, _: str) -> JsonObject:
    fields: dict[str, object] = {
        "message": error.public,
        "type": error.type,
        "param": error.param,
        "code": error.code,
    }
    if error.metadata is not None:
        fields["metadata"] = error.metadata
    return {"error": fields}


def _anthropic(error: SidecarError, call_id: str) -> JsonObject:
    status = _anthropic_status(error)
    fallback = "invalid_request_error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "api_error"
    fields: dict[str, object] = {
        "type": ANTHROPIC_TYPES.get(status, fallback),
        "message": _anthropic_message(error),
    }
    if error.metadata is not None:
        fields["metadata"] = error.metadata
    return {"type": "error", "error": fields, "request_id": call_id}


def _anthropic_message(error: SidecarError) -> str:
    """Its clients know a prompt that is too long by these words alone, and shorten it then."""
    message = error.public
    if error.code == CONTEXT_TOO_LONG and TOO_LONG not in message.lower():
        return f"{TOO_LONG}: {message}"
    return message


def _anthropic_status(error: SidecarError) -> int:
    return OVERLOADED if error.type == "overloaded_error" else error.status


def _ollama(error: SidecarError, _: str) -> JsonObject:
    return {"error": error.public}


def _event(error: SidecarError, call_id: str, _: bytes) -> bytes:
    return b"data: " + orjson.dumps(_openai(error, call_id)) + b"\n\n"


def _numbered_event(error: SidecarError, _: str, last: bytes) -> bytes:
    """https://platform.openai.com/docs/api-reference/responses-streaming/error."""
    numbers = SEQUENCE_NUMBER.findall(last)
    document: dict[str, object] = {
        "type": "error",
        "code": error.code,
        "message": error.public,
        "param": error.param,
        "sequence_number": int(numbers[-1]) + 1 if numbers else 0,
    }
    return b"event: error\ndata: " + orjson.dumps(document) + b"\n\n"


def _named_event(error: SidecarError, call_id: str, _: bytes) -> bytes:
    return b"event: error\ndata: " + orjson.dumps(_anthropic(error, call_id)) + b"\n\n"


def _line(error: SidecarError, call_id: str, _: bytes) -> bytes:
    return orjson.dumps(_ollama(error, call_id)) + b"\n"


OPENAI: Final = Speech(_openai, _event, pulse=b": keep-alive\n\n")
"""Its clients raise on an event with `error`, and skip comments."""
RESPONSES: Final = Speech(_openai, _numbered_event, pulse=b": keep-alive\n\n")
"""The same but for the event, which counts on."""
ANTHROPIC: Final = Speech(
    _anthropic,
    _named_event,
    _anthropic_status,
    b'event: ping\ndata: {"type": "ping"}\n\n',
    ("x-request-id", "request-id"),
)
OLLAMA: Final = Speech(_ollama, _line)
"""No pulse: its clients parse each line, even an empty one, and take what they find for a piece."""
