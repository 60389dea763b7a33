"""Writes answers: the events of a stream, or a whole message."""

from collections.abc import Iterator, Sequence
from typing import Final

import orjson

from penstock_sidecar.dialects.dialect import Identity
from penstock_sidecar.dialects.document import parse
from penstock_sidecar.dialects.events import (
    CallPiece,
    Counted,
    Ended,
    Event,
    Finish,
    Finished,
    RefusalPiece,
    Started,
    TextPiece,
    ThoughtPiece,
)
from penstock_sidecar.dialects.whole import Block, Call, Choice, Thought, whole
from penstock_sidecar.model import JsonObject, Usage

STOP_REASONS: Final[dict[Finish, str]] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
PING: Final = b'event: ping\ndata: {"type": "ping"}\n\n'
"""Anthropic sends one after the first block has begun."""
NOTHING_COUNTED: Final = Usage(0, 0)
"""The field must be there, also where nobody has counted."""


class AnthropicWriter:
    """Of a stream: one block after the other, each begun, told and ended."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._blocks = 0
        self._open: str = ""
        """The kind of the block that has begun; empty for none."""
        self._place_of: dict[int, int] = {}
        """A call's block."""
        self._finished = Finished("stop")
        self._usage: Usage | None = None

    def write(self, event: Event) -> bytes:
        match event:
            case Finished():
                self._finished = event
            case Counted():
                self._usage = event.usage
            case _:
                return b"".join(self._written(event))
        return b""

    def _written(self, event: Event) -> Iterator[bytes]:
        match event:
            case Started():
                yield self._start(event)
            case TextPiece(text=text) | RefusalPiece(text=text) if text:
                yield self._in("text", {"type": "text_delta", "text": text})
            case ThoughtPiece():
                yield from self._thought(event)
            case CallPiece():
                yield from self._call(event)
            case Ended():
                yield self._end()
            case _:
                pass

    def _start(self, event: Started) -> bytes:
        message = {
            **_head(self._identity, event.model),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage_document(NOTHING_COUNTED),
        }
        return _sse("message_start", {"message": message})

    def _thought(self, piece: ThoughtPiece) -> Iterator[bytes]:
        if piece.redacted is not None:
            yield self._begin({"type": "redacted_thinking", "data": piece.redacted}) + self._close()
        if piece.text:
            yield self._in("thinking", {"type": "thinking_delta", "thinking": piece.text})
        if piece.signature:
            signed = {"type": "signature_delta", "signature": piece.signature}
            yield self._in("thinking", signed) + self._close()

    def _call(self, piece: CallPiece) -> Iterator[bytes]:
        """A piece of a call that another one has ended goes to its own block all the same: its
        index says where it belongs. No provider is known to mix them. A call's signature has no
        place but a thought."""
        if piece.signature:
            yield from self._thought(ThoughtPiece(signature=piece.signature))
        if piece.index not in self._place_of:
            id_ = piece.id or self._identity.tool_call_id(piece.index)
            self._place_of[piece.index] = self._blocks
            yield self._begin({"type": "tool_use", "id": id_, "name": piece.name, "input": {}})
        if piece.arguments:
            delta = {"type": "input_json_delta", "partial_json": piece.arguments}
            yield _delta(self._place_of[piece.index], delta)

    def _in(self, kind: str, delta: JsonObject) -> bytes:
        """Within a block of this kind, which is begun where none is open."""
        begun = b""
        if self._open != kind:
            empty = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}}
            begun = self._begin({"type": kind, **empty[kind]})
        return begun + _delta(self._blocks - 1, delta)

    def _begin(self, block: dict[str, object]) -> bytes:
        ended, self._open = self._close(), str(block["type"])
        fields = {"index": self._blocks, "content_block": block}
        ping = b"" if self._blocks else PING
        self._blocks += 1
        return ended + _sse("content_block_start", fields) + ping

    def _close(self) -> bytes:
        if not self._open:
            return b""
        self._open = ""
        return _sse("content_block_stop", {"index": self._blocks - 1})

    def _end(self) -> bytes:
        stop = _stop(
            self._finished.reason, self._finished.stop_sequence, called=bool(self._place_of)
        )
        usage = usage_document(self._usage or NOTHING_COUNTED)
        last = _sse("message_delta", {"delta": stop, "usage": usage})
        return self._close() + last + _sse("message_stop", {})


def write_message(events: Sequence[Event], identity: Identity) -> JsonObject:
    answer = whole(events)
    choice = answer.first
    return {
        **_head(identity, answer.model),
        "content": list(_content(choice, identity)),
        **_stop(choice.finish, choice.stop_sequence, called=bool(choice.calls)),
        "usage": usage_document(answer.usage or NOTHING_COUNTED),
    }


def usage_document(usage: Usage) -> dict[str, object]:
    """Input without what the cache read or was given, which stand beside it."""
    cached, written = usage.cached_input_tokens, usage.cache_write_tokens
    document: dict[str, object] = {
        "input_tokens": usage.input_tokens - cached - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": cached,
        "output_tokens": usage.output_tokens,
    }
    if usage.reasoning_tokens:
        document["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return document


def _content(choice: Choice, identity: Identity) -> Iterator[dict[str, object]]:
    calls = 0
    for block in choice.blocks:
        if isinstance(block, Call) and block.signature:
            yield _block(Thought(signature=block.signature), "")
        yield _block(block, identity.tool_call_id(calls))
        calls += isinstance(block, Call)
    if choice.refusal:
        yield {"type": "text", "text": choice.refusal}


def _block(block: Block, call_id: str) -> dict[str, object]:
    match block:
        case str():
            return {"type": "text", "text": block}
        case Thought() if block.redacted is not None:
            return {"type": "redacted_thinking", "data": block.redacted}
        case Thought():
            signature = block.signature or ""
            return {"type": "thinking", "thinking": block.text, "signature": signature}
        case _:
            arguments = _arguments(block.arguments)
            id_ = block.id or call_id
            return {"type": "tool_use", "id": id_, "name": block.name, "input": arguments}


def _arguments(text: str) -> object:
    """An object here, not text. What a model got wrong is shown as it is, not hidden."""
    try:
        found = parse(text.encode("utf-8", "replace") or b"{}")
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"arguments": text}


def _stop(finish: Finish, sequence: str | None, *, called: bool) -> dict[str, object]:
    """Some providers end with `stop` after tool calls too."""
    reason = STOP_REASONS[finish]
    if finish == "stop" and sequence is not None:
        reason = "stop_sequence"
    elif finish == "stop" and called:
        reason = "tool_use"
    return {"stop_reason": reason, "stop_sequence": sequence}


def _head(identity: Identity, model: str) -> dict[str, object]:
    return {
        "id": f"msg_{identity.call_id}",
        "type": "message",
        "role": "assistant",
        "model": model or identity.model,
    }


def _delta(index: int, delta: JsonObject) -> bytes:
    return _sse("content_block_delta", {"index": index, "delta": delta})


def _sse(kind: str, fields: JsonObject) -> bytes:
    data = orjson.dumps({"type": kind, **fields})
    return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"
