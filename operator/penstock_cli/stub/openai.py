"""OpenAI's wire format: https://platform.openai.com/docs/api-reference/chat (November 2026)."""

import json
from collections.abc import Iterator, Mapping, Sequence

from penstock_cli.stub.answer import Answer
from penstock_cli.stub.behaviour import Status
from penstock_cli.stub.steps import Send

CREATED = 1_763_640_000
FINGERPRINT = "fp_stub"
DONE = Send(b"data: [DONE]\n\n")
STREAM_TYPE = "text/event-stream; charset=utf-8"
PLAIN_TYPE = "application/json"
MALFORMED = b'data: {"id":"chatcmpl-stub","choices":[{"index":0,"del\n\n'
IN_BAND_ERROR = (
    b'data: {"error":{"message":"The server had an error while processing your request.",'
    b'"type":"server_error","param":null,"code":null}}\n\n'
)

ERRORS: Mapping[int, tuple[str, str, str | None]] = {
    400: ("Invalid request.", "invalid_request_error", None),
    401: ("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
    403: ("Country, region, or territory not supported.", "request_forbidden", "unsupported"),
    404: ("The model does not exist.", "invalid_request_error", "model_not_found"),
    429: ("Rate limit reached.", "requests", "rate_limit_exceeded"),
    500: ("The server had an error while processing your request.", "server_error", None),
    503: ("The engine is currently overloaded.", "server_error", None),
    529: ("Overloaded", "overloaded_error", None),
}


def plain(answer: Answer) -> bytes:
    return encoded(
        {
            "id": f"chatcmpl-stub{answer.asked.serial}",
            "object": "chat.completion",
            "created": CREATED,
            "model": answer.asked.model,
            "choices": [_plain_choice(answer, index) for index in range(answer.asked.choices)],
            "usage": usage(answer),
            "service_tier": "default",
            "system_fingerprint": FINGERPRINT,
        }
    )


def stream(answer: Answer) -> Iterator[Send]:
    """Events in OpenAI's order: role, pieces, finish, usage if asked for, `[DONE]`."""
    for index in range(answer.asked.choices):
        for delta, tokens in _deltas(answer):
            yield _event(answer, _stream_choice(index, delta, None), tokens)
        yield _event(answer, _stream_choice(index, {}, answer.finish))
    if answer.asked.include_usage:
        document = _head(answer) | {"choices": [], "usage": usage(answer)}
        yield Send(b"data: " + encoded(document) + b"\n\n")
    yield DONE


def error(status: Status) -> bytes:
    message, type_, code = ERRORS.get(status.code, ("Error.", "server_error", None))
    return encoded(
        {
            "error": {
                "message": status.message or message,
                "type": status.error_type or type_,
                "param": status.param,
                "code": status.error_code or code,
            }
        },
        indent=2,
    )


def models(names: Sequence[str]) -> bytes:
    entries = [
        {"id": name, "object": "model", "created": CREATED, "owned_by": "stub"} for name in names
    ]
    return encoded({"object": "list", "data": entries}, indent=2)


def usage(answer: Answer) -> dict[str, object]:
    tokens = answer.tokens
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": tokens.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _plain_choice(answer: Answer, index: int) -> dict[str, object]:
    ok = answer.ok
    message: dict[str, object] = {"role": "assistant", "content": answer.text}
    if ok.tool_calls and not answer.words:
        message["content"] = None
    if ok.reasoning:
        message["reasoning_content"] = ok.reasoning
    if ok.tool_calls:
        message["tool_calls"] = [
            {"id": c.id, "type": "function", "function": _function(c.name, c.arguments)}
            for c in ok.tool_calls
        ]
    message |= {"refusal": ok.refusal or None, "annotations": []}
    return {"index": index, "message": message, "logprobs": None, "finish_reason": answer.finish}


def _deltas(answer: Answer) -> Iterator[tuple[dict[str, object], int]]:
    ok = answer.ok
    yield {"role": "assistant", "content": "", "refusal": None}, 0
    for word in ok.reasoning.split():
        yield {"reasoning_content": word + " "}, 1
    for word in answer.words:
        yield {"content": word}, 1
    for word in ok.refusal.split():
        yield {"refusal": word + " "}, 1
    for index, call in enumerate(ok.tool_calls):
        opened = {"id": call.id, "type": "function", "function": _function(call.name, "")}
        yield {"tool_calls": [{"index": index, **opened}]}, 0
        yield {"tool_calls": [{"index": index, "function": {"arguments": call.arguments}}]}, 1


def _function(name: str, arguments: str) -> dict[str, str]:
    return {"name": name, "arguments": arguments}


def _stream_choice(index: int, delta: object, finish: str | None) -> dict[str, object]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}


def _event(answer: Answer, choice: object, tokens: int = 0) -> Send:
    document = _head(answer) | {"choices": [choice]}
    if answer.asked.include_usage:
        document["usage"] = None
    return Send(b"data: " + encoded(document) + b"\n\n", tokens)


def _head(answer: Answer) -> dict[str, object]:
    return {
        "id": f"chatcmpl-stub{answer.asked.serial}",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": answer.asked.model,
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    }


def encoded(document: object, indent: int | None = None) -> bytes:
    separators = (",", ":") if indent is None else None
    return json.dumps(document, ensure_ascii=False, separators=separators, indent=indent).encode()
