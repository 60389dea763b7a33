"""Reads answers: the events of a stream, or a whole message."""

from collections.abc import Iterator, Mapping
from typing import Final

import orjson

from penstock_sidecar.dialects.dialect import Garbled, SaidError
from penstock_sidecar.dialects.events import (
    CallPiece,
    Counted,
    Ended,
    Event,
    Finish,
    Finished,
    OtherPiece,
    RefusalPiece,
    Started,
    TextPiece,
    ThoughtPiece,
)
from penstock_sidecar.dialects.fields import object_of, objects_of, string_of
from penstock_sidecar.dialects.usage import usage_of_anthropic
from penstock_sidecar.model import JsonObject

FINISHES: Final[Mapping[object, Finish]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "length",  # not at its end, and nobody else knows how to go on
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class AnthropicReader:
    """Of a stream; it ends with `message_stop`. Unknown events say nothing: there may be more some
    day, as its versioning tells."""

    def __init__(self, _choices: int) -> None:
        self._usage: list[object] = []
        self._call_of: dict[int, int] = {}
        """By the block's index."""
        self._bare: set[int] = set()
        """Blocks of calls without arguments so far."""
        self._finished = False

    def read(self, document: JsonObject) -> Iterator[Event]:
        match document.get("type"):
            case "message_start":
                yield from self._start(object_of(document.get("message")))
            case "content_block_start":
                yield from self._block(document)
            case "content_block_delta":
                yield from self._delta(document)
            case "content_block_stop":
                yield from self._stop(_index(document))
            case "message_delta":
                yield from self._end(document)
            case "message_stop":
                yield Ended()
            case "error":
                raise SaidError(document.get("error"))
            case _:
                pass

    def over(self) -> Iterator[Event]:
        if not self._finished:
            raise Garbled("ended its answer half-way")
        yield Ended()

    def _start(self, message: JsonObject) -> Iterator[Event]:
        yield Started(string_of(message.get("id")), string_of(message.get("model")))
        yield from self._counted(message.get("usage"))

    def _block(self, document: JsonObject) -> Iterator[Event]:
        block, index = object_of(document.get("content_block")), _index(document)
        if block.get("type") == "tool_use":
            self._call_of[index] = len(self._call_of)
            if not block.get("input"):
                self._bare.add(index)
        yield from _said(block, self._call_of.get(index, 0))

    def _delta(self, document: JsonObject) -> Iterator[Event]:
        index = _index(document)
        match document.get("delta"):
            case {"type": "text_delta", "text": str(text)} if text:
                yield TextPiece(text)
            case {"type": "thinking_delta", "thinking": str(text)} if text:
                yield ThoughtPiece(text)
            case {"type": "signature_delta", "signature": str(signature)}:
                yield ThoughtPiece(signature=signature)
            case {"type": "input_json_delta", "partial_json": str(text)} if text:
                if index in self._call_of:  # else of a tool that runs there
                    self._bare.discard(index)
                    yield CallPiece(self._call_of[index], arguments=text)

    def _stop(self, index: int) -> Iterator[Event]:
        """A call without arguments streams none; others want an object."""
        if index in self._bare:
            self._bare.discard(index)
            yield CallPiece(self._call_of[index], arguments="{}")

    def _end(self, document: JsonObject) -> Iterator[Event]:
        for event in _finish(object_of(document.get("delta"))):
            self._finished = True
            yield event
        yield from self._counted(document.get("usage"))

    def _counted(self, usage: object) -> Iterator[Event]:
        self._usage.append(usage)
        if found := usage_of_anthropic(*self._usage):
            yield Counted(found)


def read_message(document: JsonObject) -> Iterator[Event]:
    if document.get("type") == "error":
        raise SaidError(document.get("error"))
    if not isinstance(document.get("content"), list):
        raise Garbled("answered with what is no message")
    yield Started(string_of(document.get("id")), string_of(document.get("model")))
    calls = 0
    for _, block in objects_of(document.get("content")):
        called = block.get("type") == "tool_use"
        yield from _said(block, calls)
        if called and not block.get("input"):
            yield CallPiece(calls, arguments="{}")
        calls += called
    yield from _finish(document)
    if usage := usage_of_anthropic(document.get("usage")):
        yield Counted(usage)
    yield Ended()


def _said(block: JsonObject, call: int) -> Iterator[Event]:
    match block:
        case {"type": "text", "text": str(text)}:
            yield from (TextPiece(text),) if text else ()
        case {"type": "thinking", "thinking": str(text)}:
            signature = string_of(block.get("signature")) or None
            yield from (ThoughtPiece(text, signature),) if text or signature else ()
        case {"type": "redacted_thinking", "data": str(data)}:
            yield ThoughtPiece(redacted=data)
        case {"type": "tool_use"}:
            input_ = block.get("input")
            arguments = orjson.dumps(input_).decode() if input_ else ""
            id_, name = string_of(block.get("id")), string_of(block.get("name"))
            yield CallPiece(call, id_, name, arguments)
        case _:
            yield OtherPiece()


def _index(document: JsonObject) -> int:
    index = document.get("index")
    return index if isinstance(index, int) else 0


def _finish(said: JsonObject) -> Iterator[Event]:
    """A refusal says why where it can."""
    reason = said.get("stop_reason")
    if not isinstance(reason, str):
        return
    if why := string_of(object_of(said.get("stop_details")).get("explanation")):
        yield RefusalPiece(why)
    sequence = said.get("stop_sequence")
    stopped_by = sequence if isinstance(sequence, str) else None
    yield Finished(FINISHES.get(reason, "stop"), stop_sequence=stopped_by)
