"""OpenAI's responses, as the metered provider speaks them."""

import json

from tests.acceptance.metered.dialect import (
    UNCAPPED,
    Count,
    compact,
    finish_of,
    tag_of,
    text_bytes,
)
from tests.acceptance.metered.plan import Output
from tests.acceptance.metered.work import Asked


class Responses:
    """The cap is `max_output_tokens`; a stream's last event holds the usage."""

    path = "/v1/responses"
    stream_type = "text/event-stream; charset=utf-8"
    plain_type = "application/json"
    in_band_error = (
        b'event: error\ndata: {"type":"error","code":"server_error","message":"broken"}\n\n'
    )

    def read(self, raw: bytes, _: str) -> Asked:
        body = json.loads(raw)
        return Asked(
            tag=tag_of(raw),
            model=body["model"],
            input_bytes=text_bytes(body["input"], body.get("tools")),
            images=0,
            most=body.get("max_output_tokens", UNCAPPED),
            choices=1,
            stream=body.get("stream") is True,
            usage_wanted=True,
        )

    def opening(self, asked: Asked, _: Count | None) -> bytes:
        return _event("response.created", response=_response(asked, "in_progress", [], None))

    def piece(self, _asked: Asked, choice: int, text: str, *, thought: bool) -> bytes:
        assert choice == 0
        kind = "reasoning_text" if thought else "output_text"
        return _event(f"response.{kind}.delta", output_index=0, content_index=0, delta=text)

    def closing(self, asked: Asked, finish: str, count: Count | None) -> bytes:
        status = "incomplete" if finish == "length" else "completed"
        return _event(f"response.{status}", response=_response(asked, status, [], count))

    def plain(self, asked: Asked, whole: Output, shown: bool, count: Count | None) -> bytes:
        output: list[object] = []
        if shown and whole.thinks:
            thought = {"type": "reasoning_text", "text": "t" * whole.thinks}
            output.append({"type": "reasoning", "summary": [], "content": [thought]})
        text = {"type": "output_text", "text": "x" * whole.says}
        output.append({"type": "message", "role": "assistant", "content": [text]})
        status = "incomplete" if finish_of(whole) == "length" else "completed"
        return compact(_response(asked, status, output, count))

    def error(self, status: int) -> bytes:
        error = {"message": f"status {status}", "type": "server_error", "param": None}
        return compact({"error": {**error, "code": None}})


def _response(
    asked: Asked, status: str, output: list[object], count: Count | None
) -> dict[str, object]:
    usage = count and {
        "input_tokens": count.input,
        "output_tokens": count.output,
        "output_tokens_details": {"reasoning_tokens": count.reasoning},
        "total_tokens": count.input + count.output,
    }
    head = {"id": "resp_1", "object": "response", "created_at": 1, "model": asked.model}
    return {**head, "status": status, "error": None, "output": output, "usage": usage}


def _event(kind: str, **fields: object) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + compact({"type": kind, **fields}) + b"\n\n"
