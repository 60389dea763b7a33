"""Ollama's wire format: https://github.com/ollama/ollama/blob/main/docs/api.md (0.12)."""

import json
from collections.abc import Iterator, Mapping, Sequence

from penstock_cli.stub.answer import Answer
from penstock_cli.stub.behaviour import Status
from penstock_cli.stub.steps import Send

CREATED_AT = "2026-11-20T12:00:00.000000000Z"
STREAM_TYPE = "application/x-ndjson"
PLAIN_TYPE = "application/json; charset=utf-8"
MALFORMED = b'{"model":"stub","created_at":"2026-11-2\n'
IN_BAND_ERROR = b'{"error":"an error was encountered while running the model: CUDA error"}\n'

ERRORS: Mapping[int, str] = {
    400: "invalid request",
    401: "unauthorized",
    404: 'model "stub" not found, try pulling it first',
    429: "too many requests",
    500: "llama runner process has terminated: exit status 2",
    503: "server busy, please try again.  maximum pending requests exceeded",
}


def plain(answer: Answer) -> bytes:
    message: dict[str, object] = {"role": "assistant", "content": answer.text}
    if answer.ok.reasoning:
        message["thinking"] = answer.ok.reasoning
    if answer.ok.tool_calls:
        message["tool_calls"] = _tool_calls(answer)
    return _json(_head(answer) | {"message": message, "done": True} | _totals(answer))


def stream(answer: Answer) -> Iterator[Send]:
    """A line for each piece, then one with `done` and the totals."""
    for word in answer.ok.reasoning.split():
        yield _line(answer, {"role": "assistant", "content": "", "thinking": word + " "}, 1)
    for word in answer.words:
        yield _line(answer, {"role": "assistant", "content": word}, 1)
    if answer.ok.tool_calls:
        message = {"role": "assistant", "content": "", "tool_calls": _tool_calls(answer)}
        yield _line(answer, message, len(answer.ok.tool_calls))
    last = _head(answer) | {"message": {"role": "assistant", "content": ""}, "done": True}
    yield Send(_json(last | _totals(answer)) + b"\n")


def error(status: Status) -> bytes:
    return _json({"error": status.message or ERRORS.get(status.code, "error")})


def tags(names: Sequence[str]) -> bytes:
    return _json({"models": [_tag(name) for name in names]})


def _tag(name: str) -> dict[str, object]:
    return {
        "name": name,
        "model": name,
        "modified_at": CREATED_AT,
        "size": 2_019_393_189,
        "digest": "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72",
        "details": {
            "parent_model": "",
            "format": "gguf",
            "family": "llama",
            "families": ["llama"],
            "parameter_size": "3.2B",
            "quantization_level": "Q4_K_M",
        },
    }


def _line(answer: Answer, message: Mapping[str, object], tokens: int) -> Send:
    document = _head(answer) | {"message": message, "done": False}
    return Send(_json(document) + b"\n", tokens)


def _head(answer: Answer) -> dict[str, object]:
    return {"model": answer.asked.model, "created_at": CREATED_AT}


def _totals(answer: Answer) -> dict[str, object]:
    return {
        "done_reason": "stop" if answer.finish == "tool_calls" else answer.finish,
        "total_duration": 4_883_583_458,
        "load_duration": 1_334_875,
        "prompt_eval_count": answer.tokens.input,
        "prompt_eval_duration": 342_546_000,
        "eval_count": answer.tokens.output,
        "eval_duration": 4_535_599_000,
    }


def _tool_calls(answer: Answer) -> list[dict[str, object]]:
    return [
        {"function": {"name": call.name, "arguments": json.loads(call.arguments)}}
        for call in answer.ok.tool_calls
    ]


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
