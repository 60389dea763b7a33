"""Anthropic's messages, byte for byte, scripted as the stub is.

Shapes: https://platform.claude.com/docs/en/build-with-claude/streaming and the types of PyPI's
anthropic 2.12. `anthropic_rules` says which requests it refuses.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from aiohttp import web

from penstock_cli.stub import Behaviour, Ok, Status, StubProvider
from penstock_cli.stub.answer import Answer, Asked
from penstock_cli.stub.behaviour import Tokens
from penstock_cli.stub.record import Seen
from penstock_cli.stub.steps import Send
from tests.fakes.vendors.anthropic_rules import complaint

SIGNATURE: Final = "EqQBCgIYAhIM1gbcDa9GJwZA2b3h"
STOP_SEQUENCE: Final = "END"
"""What ended an answer whose finish is `stop_sequence`."""
FINISHES: Final[Mapping[str, str]] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
}
"""Others are Anthropic's own words already."""
ERRORS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("invalid_request_error", "Invalid request."),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "There is an issue with your billing."),
    403: ("permission_error", "Your API key does not have permission to use this resource."),
    404: ("not_found_error", "model: claude-of-old"),
    413: ("request_too_large", "Request exceeds the maximum size"),
    429: ("rate_limit_error", "This request would exceed your organization's rate limit."),
    500: ("api_error", "Internal server error"),
    504: ("timeout_error", "The request timed out."),
    529: ("overloaded_error", "Overloaded"),
}


def error_document(kind: str, message: str) -> bytes:
    error = {"type": kind, "message": message}
    return _json({"type": "error", "error": error, "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy"})


class Anthropic:
    """A `Dialect` of the stub's."""

    STREAM_TYPE = "text/event-stream; charset=utf-8"
    PLAIN_TYPE = "application/json"
    MALFORMED = b'event: content_block_delta\ndata: {"type":"content_block_del\n\n'
    IN_BAND_ERROR = (
        b'event: error\ndata: {"type":"error","error":{"details":null,'
        b'"type":"overloaded_error","message":"Overloaded"}}\n\n'
    )

    def plain(self, answer: Answer) -> bytes:
        return _json(
            _message(answer, answer.tokens.output)
            | {"content": [block for block, _ in _blocks(answer)], **_stop(answer)}
        )

    def stream(self, answer: Answer) -> Iterator[Send]:
        message = _message(answer, 1) | {"content": [], **NOT_STOPPED}
        yield _event("message_start", {"message": message})
        for index, (block, pieces) in enumerate(_blocks(answer)):
            yield _event("content_block_start", {"index": index, "content_block": _empty(block)})
            if index == 0:
                yield _event("ping", {})
            for delta in pieces:
                said = {"index": index, "delta": delta}
                yield _event("content_block_delta", said, tokens=1)
            yield _event("content_block_stop", {"index": index})
        usage = {"output_tokens": answer.tokens.output, **_thought(answer.tokens)}
        yield _event("message_delta", {"delta": _stop(answer), "usage": usage})
        yield _event("message_stop", {})

    def error(self, status: Status) -> bytes:
        kind, message = ERRORS.get(status.code, ERRORS[500])
        return error_document(status.error_type or kind, status.message or message)


class Counted(Anthropic):
    """Of `count_tokens`."""

    def plain(self, answer: Answer) -> bytes:
        return _json({"input_tokens": answer.tokens.input})


class AnthropicProvider(StubProvider):
    """At `url`."""

    def __init__(self, default: Behaviour = Ok()) -> None:  # noqa: B008  # immutable
        super().__init__(default=default)

    def _routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v1/messages", self._messages)
        router.add_post("/v1/messages/count_tokens", self._count)

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        return await self._served(request, Anthropic())

    async def _count(self, request: web.Request) -> web.StreamResponse:
        return await self._served(request, Counted())

    async def _served(self, request: web.Request, dialect: Anthropic) -> web.StreamResponse:
        seen = await self._record(request)
        wrong = complaint(seen.body, seen.headers, counts=isinstance(dialect, Counted))
        if wrong is not None:
            kind, _ = ERRORS[wrong.status]
            body = error_document(kind, wrong.message)
            return web.Response(status=wrong.status, body=body, content_type="application/json")
        return await self._answer(request, seen, dialect, self._asked(seen))

    def _asked(self, seen: Seen) -> Asked:
        limit = seen.body.get("max_tokens")
        return Asked(
            serial=len(self.requests),
            model=seen.model,
            stream=seen.body.get("stream") is True,
            prompt_bytes=len(json.dumps(seen.body.get("messages"))),
            max_tokens=limit if isinstance(limit, int) else None,
        )


NOT_STOPPED: Final = {"stop_reason": None, "stop_sequence": None}


def _stop(answer: Answer) -> dict[str, Any]:
    reason = FINISHES.get(answer.finish, answer.finish)
    stop: dict[str, Any] = {"stop_reason": reason, "stop_sequence": None}
    if reason == "stop_sequence":
        stop["stop_sequence"] = STOP_SEQUENCE
    if reason == "refusal":
        why = {"type": "refusal", "category": "cyber", "explanation": answer.ok.refusal or None}
        stop["stop_details"] = why
    return stop


def _blocks(answer: Answer) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Whole ones, each with the deltas that tell it in a stream."""
    ok = answer.ok
    if ok.reasoning:
        block = {"type": "thinking", "thinking": ok.reasoning, "signature": SIGNATURE}
        words = ok.reasoning.replace(" ", " \0").split("\0")
        told = [{"type": "thinking_delta", "thinking": word} for word in words]
        yield block, [*told, {"type": "signature_delta", "signature": SIGNATURE}]
    if answer.words:
        told = [{"type": "text_delta", "text": word} for word in answer.words]
        yield {"type": "text", "text": answer.text}, told
    for call in ok.tool_calls:
        arguments, half = call.arguments, len(call.arguments) // 2
        block = {"type": "tool_use", "id": call.id, "name": call.name}
        pieces = ["", arguments[:half], arguments[half:]] if arguments != "{}" else [""]
        told = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        yield block | {"input": json.loads(arguments)}, told


def _empty(block: Mapping[str, Any]) -> dict[str, Any]:
    match block["type"]:
        case "text":
            return {"type": "text", "text": ""}
        case "thinking":
            return {"type": "thinking", "thinking": "", "signature": ""}
        case _:
            return {**block, "input": {}}


def _message(answer: Answer, output: int) -> dict[str, Any]:
    return {
        "model": answer.asked.model,
        "id": f"msg_stub{answer.asked.serial}",
        "type": "message",
        "role": "assistant",
        "content": [],
        **NOT_STOPPED,
        "usage": {
            "input_tokens": answer.tokens.input - answer.tokens.cached,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": answer.tokens.cached,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": output,
            **_thought(answer.tokens),
            "service_tier": "standard",
            "inference_geo": "not_available",
        },
    }


def _thought(tokens: Tokens) -> dict[str, Any]:
    if not tokens.reasoning:
        return {}
    return {"output_tokens_details": {"thinking_tokens": tokens.reasoning}}


def _event(kind: str, fields: Mapping[str, Any], tokens: int = 0) -> Send:
    return Send(
        f"event: {kind}\ndata: ".encode() + _json({"type": kind, **fields}) + b"\n\n", tokens
    )


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
