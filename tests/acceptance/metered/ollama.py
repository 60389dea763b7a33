"""Ollama's `/api/chat`, as the metered provider speaks it."""

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


class Ollama:
    """One answer a request; the cap is `options.num_predict`."""

    path = "/api/chat"
    stream_type = "application/x-ndjson"
    plain_type = "application/json; charset=utf-8"
    in_band_error = b'{"error":"broken"}\n'

    def read(self, raw: bytes) -> Asked:
        body = json.loads(raw)
        messages = body["messages"]
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

    def piece(self, asked: Asked, choice: int, text: str, *, thought: bool) -> bytes:
        assert choice == 0
        message = {"role": "assistant", "content": "" if thought else text}
        if thought:
            message["thinking"] = text
        return compact({"model": asked.model, "message": message, "done": False}) + b"\n"

    def closing(self, asked: Asked, finish: str, count: Count | None) -> bytes:
        return compact(_end(asked, {"role": "assistant", "content": ""}, finish, count)) + b"\n"

    def plain(self, asked: Asked, whole: Output, shown: bool, count: Count | None) -> bytes:
        message = {"role": "assistant", "content": "x" * whole.says}
        if shown and whole.thinks:
            message["thinking"] = "t" * whole.thinks
        return compact(_end(asked, message, finish_of(whole), count))

    def error(self, status: int) -> bytes:
        return compact({"error": f"status {status}"})


def _end(
    asked: Asked, message: dict[str, str], finish: str, count: Count | None
) -> dict[str, object]:
    end = {"model": asked.model, "message": message, "done": True, "done_reason": finish}
    if count is None:
        return end
    return {**end, "prompt_eval_count": count.input, "eval_count": count.output}
