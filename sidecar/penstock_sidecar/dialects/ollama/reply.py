"""Writes answers: lines of a stream, or a whole one. Both APIs differ in one field."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import orjson

from penstock_sidecar.dialects.dialect import Garbled, Identity
from penstock_sidecar.dialects.document import parse
from penstock_sidecar.dialects.events import (
    CallPiece,
    Counted,
    Ended,
    Event,
    Finish,
    Finished,
    RefusalPiece,
    TextPiece,
    ThoughtPiece,
)
from penstock_sidecar.dialects.whole import Call, Choice, whole
from penstock_sidecar.model import JsonObject, Usage

Said = Mapping[str, object]
"""What one line says, as fields of a chat's `message`, its role left out."""
Fields = Callable[[Said], JsonObject]
"""Those fields where an API has them."""
DONE_REASONS: Final[Mapping[Finish, str]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "stop",
    "content_filter": "content_filter",
}
"""Ollama has no word for the last: it refuses nothing. To say `stop` would be a lie."""
LINE_BREAKS: Final = {
    b"\xc2\x85": b"\\u0085",
    b"\xe2\x80\xa8": b"\\u2028",
    b"\xe2\x80\xa9": b"\\u2029",
}
"""Characters that JSON may hold as they are, and at which Python's clients break lines."""
_NANOSECONDS: Final = 1_000_000_000


def message_fields(said: Said) -> JsonObject:
    return {"message": {"role": "assistant", **said}}


class OllamaWriter:
    """Of a stream. Tool calls are whole here, so they are kept back until the end."""

    def __init__(self, identity: Identity, fields: Fields = message_fields) -> None:
        self._identity = identity
        self._fields = fields
        self._called = Choice()
        self._finish: Finish = "stop"
        self._usage: Usage | None = None
        self._first: float | None = None

    def write(self, event: Event) -> bytes:
        match event:
            case TextPiece() | RefusalPiece() | ThoughtPiece() if event.text:
                return self._piece(event)
            case CallPiece():
                self._called.add(event)
            case Finished():
                self._finish = event.reason
            case Counted():
                self._usage = event.usage
            case Ended():
                return self._end()
            case _:
                pass
        return b""

    def _piece(self, piece: TextPiece | RefusalPiece | ThoughtPiece) -> bytes:
        if isinstance(piece, ThoughtPiece):
            return self._line({"content": "", "thinking": piece.text})
        logprobs = piece.logprobs if isinstance(piece, TextPiece) else ()
        return self._line({"content": piece.text}, logprobs)

    def _line(self, said: Said, logprobs: Sequence[JsonObject] = ()) -> bytes:
        identity = self._identity
        if self._first is None:
            self._first = identity.clock.monotonic()
        more = {"logprobs": list(logprobs)} if logprobs else {}
        return line({**_head(identity), **self._fields(said), "done": False, **more})

    def _end(self) -> bytes:
        calls = _calls(self._called.calls, self._identity)
        before = self._line({"content": "", "tool_calls": calls}) if calls else b""
        identity, fields = self._identity, self._fields({"content": ""})
        done = _done(self._finish, self._usage, identity, self._first)
        return before + line({**_head(identity), **fields, **done})


def write_answer(
    events: Sequence[Event], identity: Identity, fields: Fields = message_fields
) -> JsonObject:
    """A whole one. Raises `Garbled`."""
    answer = whole(events)
    choice = answer.first
    said: dict[str, object] = {"content": choice.text + choice.refusal}
    if choice.thought:
        said["thinking"] = choice.thought
    if choice.calls:
        said["tool_calls"] = _calls(choice.calls, identity)
    logprobs = {"logprobs": choice.logprobs} if choice.logprobs else {}
    done = _done(choice.finish, answer.usage, identity, None)
    return {**_head(identity), **fields(said), **done, **logprobs}


def timestamp(utc: float) -> str:
    """As Go writes a time (RFC 3339): nanoseconds, without zeros at the end."""
    seconds, fraction = divmod(utc, 1)
    day_and_time = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{day_and_time}.{int(fraction * _NANOSECONDS):09d}".rstrip("0").rstrip(".") + "Z"


def _head(identity: Identity) -> dict[str, object]:
    """The model is named as the caller named it, as Ollama does."""
    return {"model": identity.model, "created_at": timestamp(identity.clock.utc())}


def _done(
    finish: Finish, usage: Usage | None, identity: Identity, first: float | None
) -> dict[str, object]:
    """What nobody knows is left out, as Ollama leaves out zeros; but a caller who divides by
    `eval_duration` finds one. `first` is when the first piece came."""
    now, began = identity.clock.monotonic(), identity.began
    fields: dict[str, object] = {
        "done": True,
        "done_reason": DONE_REASONS[finish],
        "total_duration": _nanoseconds(now - began),
        "load_duration": 0,
    }
    if usage:
        fields["prompt_eval_count"] = usage.input_tokens
    if first is not None:
        fields["prompt_eval_duration"] = _nanoseconds(first - began)
    if usage:
        fields["eval_count"] = usage.output_tokens
    fields["eval_duration"] = _nanoseconds(now - (began if first is None else first))
    return fields


def _nanoseconds(seconds: float) -> int:
    return max(1, round(seconds * _NANOSECONDS))


def _calls(calls: Sequence[Call], identity: Identity) -> list[dict[str, object]]:
    return [
        {
            "id": call.id or identity.tool_call_id(index),
            "function": {"index": index, "name": call.name, "arguments": _arguments(call)},
        }
        for index, call in enumerate(calls)
    ]


def _arguments(call: Call) -> JsonObject:
    """An object here. What a model has garbled cannot be said, and must not be run as `{}`."""
    try:
        found = parse(call.arguments.encode("utf-8", "replace") or b"{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Garbled("called a tool with what is no JSON object")
    return found


def line(document: JsonObject) -> bytes:
    """Of a stream."""
    data = orjson.dumps(document)
    for character, escaped in LINE_BREAKS.items():
        data = data.replace(character, escaped)
    return data + b"\n"
