"""A kept message, streamed."""

from collections.abc import Iterator
from typing import Final, cast

import orjson

from penstock_sidecar.cache.forms.pieces import named_event, texts_of
from penstock_sidecar.dialects.anthropic.reply import PING
from penstock_sidecar.model import JsonObject

LAST: Final = ("stop_reason", "stop_sequence", "stop_details")
"""Of a message: what is known at the end."""
COUNTS: Final = frozenset(
    {
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "output_tokens",
        "output_tokens_details",
    }
)
"""Of usage: what is told again at the end."""


def replayed(document: JsonObject, _: bool) -> Iterator[bytes]:  # noqa: FBT001  # of `Streams`
    """Usage always comes along."""
    usage = cast("JsonObject", document["usage"])
    last = {name: document[name] for name in LAST if name in document}
    begun = {
        **document,
        "content": [],
        **dict.fromkeys(last),
        "usage": {**usage, "output_tokens": 0},
    }
    yield named_event("message_start", {"message": begun})
    for index, block in enumerate(cast("list[JsonObject]", document["content"])):
        yield from _block(index, block)
    counts = {name: value for name, value in usage.items() if name in COUNTS}
    yield named_event("message_delta", {"delta": last, "usage": counts})
    yield named_event("message_stop", {})


def _block(index: int, block: JsonObject) -> Iterator[bytes]:
    """Begun, told and ended."""
    begun = {**block, **_empty(block)}
    yield named_event("content_block_start", {"index": index, "content_block": begun})
    if not index:
        yield PING
    for delta in _deltas(block):
        yield named_event("content_block_delta", {"index": index, "delta": delta})
    yield named_event("content_block_stop", {"index": index})


def _empty(block: JsonObject) -> JsonObject:
    """What deltas will tell."""
    match block["type"]:
        case "text":
            return {"text": "", **({"citations": []} if block.get("citations") else {})}
        case "thinking":
            return {"thinking": "", "signature": ""}
        case "tool_use":
            return {"input": {}}
        case _:
            return {}


def _deltas(block: JsonObject) -> Iterator[JsonObject]:
    match block["type"]:
        case "text" | "thinking" as name:
            for piece in texts_of(cast("str", block[name])):
                yield {"type": f"{name}_delta", name: piece}
            yield from _beside(block)
        case "tool_use" if block["input"]:
            for piece in texts_of(orjson.dumps(block["input"]).decode()):
                yield {"type": "input_json_delta", "partial_json": piece}
        case _:
            pass


def _beside(block: JsonObject) -> Iterator[JsonObject]:
    """What proves a text or a thought."""
    for citation in cast("list[object]", block.get("citations") or []):
        yield {"type": "citations_delta", "citation": citation}
    if signature := block.get("signature"):
        yield {"type": "signature_delta", "signature": signature}
