"""Ollama's `/api/chat`, as the metered provider speaks it."""

import json
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


class Ollama:
    """One answer a request; the cap is `options.num_predict`."""

    path = "/api/chat"
    stream_type = "application/x-ndjson"
    plain_type = "application/json; charset=utf-8"
    in_band_error = b'{"error":"broken"}\n'

    def read(self, raw: bytes, _: str) -> Asked:
        body = json.loads(raw)
        messages = self.messages(body)
        read = [{k: v for k, v in m.items() if k != "images"} for m in messages]
        return Asked(
            tag=tag_of(raw),
            model=body["model"],
            input_bytes=text_bytes(read, body.get("tools"), body.get("format")),
            images=sum(len(message.get("images", ())) for message in messages),
            most=body.get("options", {}).get("num_predict") or UNCAPPED,
            choices=1,
            stream=body.get("stream") is not False,
            usage_wanted=True,
        )

    def messages(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = body["messages"]
        return found

    def said(self, message: dict[str, str]) -> dict[str, object]:
        return {"message": {"role": "assistant", **message}}

    def opening(self, _asked: Asked, _count: Count | None) -> bytes:
        return b""

    def piece(self, asked: Asked, choice: int, text: str, *, thought: bool) -> bytes:
        assert choice == 0
        message = {"content": "" if thought else text}
        if thought:
            message["thinking"] = text
        return compact({"model": asked.model, **self.said(message), "done": False}) + b"\n"

    def closing(self, asked: Asked, finish: str, count: Count | None) -> bytes:
        return compact(_end(asked, self.said({"content": ""}), finish, count)) + b"\n"

    def plain(self, asked: Asked, whole: Output, shown: bool, count: Count | None) -> bytes:
        message = {"content": "x" * whole.says}
        if shown and whole.thinks:
            message["thinking"] = "t" * whole.thinks
        return compact(_end(asked, self.said(message), finish_of(whole), count))

    def error(self, status: int) -> bytes:
        return compact({"error": f"status {status}"})


class OllamaGenerate(Ollama):
    """`/api/generate`."""

    path = "/api/generate"

    def messages(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        return [{name: body[name] for name in ("system", "prompt", "images") if name in body}]

    def said(self, message: dict[str, str]) -> dict[str, object]:
        rest = {name: text for name, text in message.items() if name != "content"}
        return {"response": message["content"], **rest}


def _end(
    asked: Asked, said: dict[str, object], finish: str, count: Count | None
) -> dict[str, object]:
    end: dict[str, object] = {"model": asked.model, **said, "done": True, "done_reason": finish}
    if count is None:
        return end
    return {**end, "prompt_eval_count": count.input, "eval_count": count.output}
