"""Anthropic's messages, as the metered provider speaks them."""

import json
from typing import Any

from tests.acceptance.metered.dialect import Count, compact, finish_of, tag_of, text_bytes
from tests.acceptance.metered.plan import Output
from tests.acceptance.metered.work import Asked

FINISHES = {"stop": "end_turn", "length": "max_tokens"}


class Anthropic:
    """The cap is `max_tokens`, and the input is told with a stream's first event."""

    path = "/v1/messages"
    stream_type = "text/event-stream; charset=utf-8"
    plain_type = "application/json"
    in_band_error = (
        b"event: error\n"
        b'data: {"type":"error","error":{"type":"overloaded_error","message":"broken"}}\n\n'
    )

    def read(self, raw: bytes, _: str) -> Asked:
        body = json.loads(raw)
        texts, images = _read(body["messages"])
        return Asked(
            tag=tag_of(raw),
            model=body["model"],
            input_bytes=text_bytes(body.get("system"), texts, body.get("tools")),
            images=images,
            most=body["max_tokens"],
            choices=1,
            stream=body.get("stream") is True,
            usage_wanted=True,
        )

    def opening(self, asked: Asked, count: Count | None) -> bytes:
        usage = {"usage": _usage(count, 1 if count.output else 0)} if count else {}
        message = {**_head(asked), "content": [], "stop_reason": None, **usage}
        return _event("message_start", message=message)

    def piece(self, _asked: Asked, choice: int, text: str, *, thought: bool) -> bytes:
        """Each in a block of its own: blocks have no end then but the answer's."""
        assert choice == 0
        kind = "thinking" if thought else "text"
        delta = {"type": f"{kind}_delta", kind: text}
        return _event("content_block_delta", index=0, delta=delta)

    def closing(self, _asked: Asked, finish: str, count: Count | None) -> bytes:
        delta = {"stop_reason": FINISHES[finish], "stop_sequence": None}
        usage = {"usage": _usage(count, count.output)} if count else {}
        return _event("message_delta", delta=delta, **usage) + _event("message_stop")

    def plain(self, asked: Asked, whole: Output, shown: bool, count: Count | None) -> bytes:
        thoughts = {"type": "thinking", "thinking": "t" * whole.thinks, "signature": "s"}
        content: list[object] = [thoughts] if shown and whole.thinks else []
        if whole.says:
            content.append({"type": "text", "text": "x" * whole.says})
        end = {"content": content, "stop_reason": FINISHES[finish_of(whole)]}
        usage = {"usage": _usage(count, count.output)} if count else {}
        return compact({**_head(asked), **end, **usage})

    def error(self, status: int) -> bytes:
        error = {"type": "api_error", "message": f"status {status}"}
        return compact({"type": "error", "error": error})


def _read(messages: list[dict[str, Any]]) -> tuple[list[str], int]:
    """Texts, and how many pictures there were."""
    texts, images = [], 0
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        images += sum(block["type"] == "image" for block in blocks)
        texts += [block["text"] for block in blocks if block["type"] == "text"]
    return texts, images


def _usage(count: Count, output: int) -> dict[str, int]:
    return {"input_tokens": count.input, "output_tokens": output}


def _head(asked: Asked) -> dict[str, object]:
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": asked.model}


def _event(kind: str, **fields: object) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + compact({"type": kind, **fields}) + b"\n\n"
