"""OpenAI's chat completions, as the metered provider speaks them."""

import json
from dataclasses import replace
from typing import Any

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
from tests.fakes.vendors.azure import V1


class OpenAi:
    """The cap is `max_completion_tokens`, or `max_tokens`: the smaller where both are there."""

    path = "/v1/chat/completions"
    stream_type = "text/event-stream; charset=utf-8"
    plain_type = "application/json"
    in_band_error = b'data: {"error":{"message":"broken","type":"server_error","code":null}}\n\n'

    def read(self, raw: bytes, _: str) -> Asked:
        body = json.loads(raw)
        caps = [body[name] for name in ("max_completion_tokens", "max_tokens") if body.get(name)]
        options = body.get("stream_options") or {}
        messages, images = _without_pictures(body["messages"])
        return Asked(
            tag=tag_of(raw),
            model=body["model"],
            input_bytes=text_bytes(messages, body.get("tools"), body.get("response_format")),
            images=images,
            most=min(caps, default=UNCAPPED),
            choices=body.get("n") or 1,
            stream=body.get("stream") is True,
            usage_wanted=options.get("include_usage") is True,
        )

    def opening(self, _asked: Asked, _count: Count | None) -> bytes:
        return b""

    def piece(self, asked: Asked, choice: int, text: str, *, thought: bool) -> bytes:
        delta = {"reasoning_content" if thought else "content": text}
        return _event(asked, [_choice(choice, "delta", delta, None)])

    def closing(self, asked: Asked, finish: str, count: Count | None) -> bytes:
        ends = [
            _event(asked, [_choice(index, "delta", {}, finish)]) for index in range(asked.choices)
        ]
        if count and asked.usage_wanted:
            ends.append(_event(asked, [], _usage(count)))
        return b"".join([*ends, b"data: [DONE]\n\n"])

    def plain(self, asked: Asked, whole: Output, shown: bool, count: Count | None) -> bytes:
        message = {"role": "assistant", "content": "x" * whole.says}
        if shown and whole.thinks:
            message["reasoning_content"] = "t" * whole.thinks
        finish = finish_of(whole)
        choices = [_choice(i, "message", message, finish) for i in range(asked.choices)]
        return compact(_head(asked, "chat.completion", choices, count and _usage(count)))

    def error(self, status: int) -> bytes:
        error = {"message": "no", "type": "server_error", "param": None, "code": None}
        return compact({"error": {**error, "message": f"status {status}"}})


class Azure(OpenAi):
    """At its own path."""

    path = f"{V1}/chat/completions"


class Completions(OpenAi):
    """Of text alone, where one thinks aloud."""

    path = "/v1/completions"

    def read(self, raw: bytes, path: str) -> Asked:
        body = json.loads(raw)
        said = [{"role": "user", "content": body["prompt"]}]
        asked = super().read(compact({**body, "messages": said}), path)
        return replace(asked, input_bytes=len(body["prompt"].encode()))

    def piece(self, asked: Asked, choice: int, text: str, *, thought: bool) -> bytes:  # noqa: ARG002  # of either
        return _event(asked, [_choice(choice, "text", text, None)])

    def closing(self, asked: Asked, finish: str, count: Count | None) -> bytes:
        ends = [_event(asked, [_choice(i, "text", "", finish)]) for i in range(asked.choices)]
        if count and asked.usage_wanted:
            ends.append(_event(asked, [], _usage(count)))
        return b"".join([*ends, b"data: [DONE]\n\n"])

    def plain(self, asked: Asked, whole: Output, shown: bool, count: Count | None) -> bytes:
        finish, text = finish_of(whole), "t" * (whole.thinks if shown else 0) + "x" * whole.says
        choices = [_choice(i, "text", text, finish) for i in range(asked.choices)]
        return compact(_head(asked, "text_completion", choices, count and _usage(count)))


def _without_pictures(messages: list[dict[str, Any]]) -> tuple[list[object], int]:
    """What is left to read, and how many pictures there were."""
    read: list[object] = []
    images = 0
    for message in messages:
        content = message.get("content")
        parts = content if isinstance(content, list) else []
        texts = [part for part in parts if part["type"] != "image_url"]
        images += len(parts) - len(texts)
        read.append({**message, "content": texts} if parts else message)
    return read, images


def _choice(index: int, name: str, value: object, finish: str | None) -> dict[str, object]:
    return {"index": index, name: value, "finish_reason": finish}


def _usage(count: Count) -> dict[str, object]:
    return {
        "prompt_tokens": count.input,
        "completion_tokens": count.output,
        "total_tokens": count.input + count.output,
        "completion_tokens_details": {"reasoning_tokens": count.reasoning},
    }


def _head(
    asked: Asked, kind: str, choices: list[dict[str, object]], usage: object
) -> dict[str, object]:
    head = {"id": "c", "object": kind, "created": 1, "model": asked.model, "choices": choices}
    return {**head, "usage": usage} if usage else head


def _event(asked: Asked, choices: list[dict[str, object]], usage: object = None) -> bytes:
    document = _head(asked, "chat.completion.chunk", choices, usage)
    return b"data: " + compact(document) + b"\n\n"
