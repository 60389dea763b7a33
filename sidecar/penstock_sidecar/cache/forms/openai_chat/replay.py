"""A kept chat completion, streamed."""

from collections.abc import Iterator
from typing import cast

from penstock_sidecar.cache.forms.pieces import event, texts_of
from penstock_sidecar.dialects.sse import DONE_EVENT
from penstock_sidecar.model import JsonObject


def replayed(document: JsonObject, usage_wanted: bool) -> Iterator[bytes]:  # noqa: FBT001  # of `Streams`
    frame = {k: v for k, v in document.items() if k not in {"choices", "usage"}}
    frame["object"] = "chat.completion.chunk"
    # With `include_usage` OpenAI sends `"usage": null` until the last chunk.
    no_usage = {"usage": None} if usage_wanted else {}
    for choice in cast("list[JsonObject]", document["choices"]):
        for delta in _deltas(choice):
            yield event({**frame, "choices": [delta], **no_usage})
    if usage_wanted:
        yield event({**frame, "choices": [], "usage": document["usage"]})
    yield DONE_EVENT


def _deltas(choice: JsonObject) -> Iterator[JsonObject]:
    """What one choice says, piece by piece: role and all short fields, text, tool calls, finish."""
    message = cast("JsonObject", choice["message"])
    rest = {k: v for k, v in choice.items() if k not in {"message", "logprobs"}}
    index = choice["index"]
    logprobs = choice.get("logprobs")
    for number, delta in enumerate(_pieces(message)):
        yield {
            "index": index,
            "delta": delta,
            "logprobs": None if number else logprobs,
            "finish_reason": None,
        }
    yield {**rest, "delta": {}, "logprobs": None}


def _pieces(message: JsonObject) -> Iterator[JsonObject]:
    text = cast("str | None", message.get("content"))
    calls = cast("list[JsonObject]", message.get("tool_calls") or [])
    whole = {k: v for k, v in message.items() if k not in {"content", "tool_calls"} and v}
    yield {"role": "assistant", **whole, "content": None if text is None else ""}
    for piece in texts_of(text or ""):
        yield {"content": piece}
    for index, call in enumerate(calls):
        yield {"tool_calls": [{**call, "index": index}]}
