"""Gemini's `generateContent`, as the metered provider speaks it."""

import json
from re import compile as pattern

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

PATH = pattern(r"models/(?P<model>[^:]+):(?P<method>\w+)$")
FINISHES = {"stop": "STOP", "length": "MAX_TOKENS"}


class Gemini:
    """The path names the model and says whether to stream; thoughts are counted beside the rest."""

    path = r"/v1beta/models/{called:[^:]+:\w+}"
    stream_type = "text/event-stream"
    plain_type = "application/json; charset=UTF-8"
    in_band_error = b'data: {"error":{"code":500,"message":"broken","status":"INTERNAL"}}\n\n'

    def read(self, raw: bytes, path: str) -> Asked:
        body, called = json.loads(raw), PATH.search(path)
        assert called, path
        parts = [part for content in body["contents"] for part in content["parts"]]
        texts = [part["text"] for part in parts if "text" in part]
        config = body.get("generationConfig", {})
        return Asked(
            tag=tag_of(raw),
            model=called["model"],
            input_bytes=text_bytes(texts, body.get("systemInstruction"), body.get("tools")),
            images=len(parts) - len(texts),
            most=config.get("maxOutputTokens", UNCAPPED),
            choices=config.get("candidateCount", 1),
            stream=called["method"] == "streamGenerateContent",
            usage_wanted=True,
        )

    def opening(self, _asked: Asked, _count: Count | None) -> bytes:
        return b""

    def piece(self, asked: Asked, choice: int, text: str, *, thought: bool) -> bytes:
        part = {"text": text, "thought": True} if thought else {"text": text}
        return _event(_document(asked, [_candidate(choice, [part])], None))

    def closing(self, asked: Asked, finish: str, count: Count | None) -> bytes:
        ends = [_candidate(index, [{"text": ""}], finish) for index in range(asked.choices)]
        return _event(_document(asked, ends, count))

    def plain(self, asked: Asked, whole: Output, shown: bool, count: Count | None) -> bytes:
        thoughts = [{"text": "t" * whole.thinks, "thought": True}]
        parts: list[object] = [*thoughts] if shown and whole.thinks else []
        parts.append({"text": "x" * whole.says})
        finish = finish_of(whole)
        candidates = [_candidate(index, parts, finish) for index in range(asked.choices)]
        return compact(_document(asked, candidates, count))

    def error(self, status: int) -> bytes:
        return compact({"error": {"code": status, "message": "no", "status": "INTERNAL"}})


def _candidate(index: int, parts: object, finish: str | None = None) -> dict[str, object]:
    said = {"index": index, "content": {"role": "model", "parts": parts}}
    return {**said, "finishReason": FINISHES[finish]} if finish else said


def _document(asked: Asked, candidates: list[dict[str, object]], count: Count | None) -> object:
    document = {"candidates": candidates, "modelVersion": asked.model, "responseId": "r"}
    if count is None:
        return document
    usage = {
        "promptTokenCount": count.input,
        "candidatesTokenCount": count.output - count.reasoning,
        "thoughtsTokenCount": count.reasoning,
        "totalTokenCount": count.input + count.output,
    }
    return {**document, "usageMetadata": usage}


def _event(document: object) -> bytes:
    return b"data: " + compact(document) + b"\r\n\r\n"
