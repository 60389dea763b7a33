"""Reads answers: lines of a stream, or a whole one. Both APIs differ in one field."""

from collections.abc import Callable, Iterator, Mapping

import orjson

from penstock_sidecar.dialects.dialect import Garbled, SaidError
from penstock_sidecar.dialects.events import (
    CallPiece,
    Counted,
    Ended,
    Event,
    Finish,
    Finished,
    Started,
    TextPiece,
    ThoughtPiece,
)
from penstock_sidecar.dialects.fields import object_of, objects_of, string_of
from penstock_sidecar.dialects.usage import usage_of_ollama
from penstock_sidecar.model import JsonObject

MessageOf = Callable[[JsonObject], JsonObject | None]
"""A document's `message`, by whatever name; `None` where it has none."""


def message_of(document: JsonObject) -> JsonObject | None:
    message = document.get("message")
    return message if isinstance(message, Mapping) else None


class OllamaReader:
    """Of a stream; it ends with the line that says `done`."""

    def __init__(self, _choices: int, message_of: MessageOf = message_of) -> None:
        self._message_of = message_of
        self._started = False
        self._calls = 0

    def read(self, document: JsonObject) -> Iterator[Event]:
        if error := document.get("error"):
            raise SaidError(error)
        if not self._started:
            self._started = True
            yield Started(model=string_of(document.get("model")))
        message = self._message_of(document) or {}
        yield from _said(message, document)
        calls = tuple(_calls(message, self._calls))
        self._calls += len(calls)
        yield from calls
        if document.get("done") is True:
            yield from _end(document, called=self._calls > 0)

    def over(self) -> Iterator[Event]:
        raise Garbled("ended its answer half-way")


def read_answer(document: JsonObject, message_of: MessageOf = message_of) -> Iterator[Event]:
    if error := document.get("error"):
        raise SaidError(error)
    if message_of(document) is None:
        raise Garbled("answered without a message")
    reader = OllamaReader(1, message_of)
    yield from reader.read({**document, "done": True})


def _said(message: JsonObject, document: JsonObject) -> Iterator[Event]:
    if thought := string_of(message.get("thinking")):
        yield ThoughtPiece(thought)
    if text := string_of(message.get("content")):
        tokens = tuple(token for _, token in objects_of(document.get("logprobs")))
        yield TextPiece(text, logprobs=tokens)


def _calls(message: JsonObject, first: int) -> Iterator[CallPiece]:
    """Whole ones, numbered from `first`. Ollama gives no ids of its own before 0.12.4."""
    for place, call in objects_of(message.get("tool_calls")):
        function = object_of(call.get("function"))
        arguments = orjson.dumps(function.get("arguments") or {}).decode()
        name, id_ = string_of(function.get("name")), string_of(call.get("id"))
        yield CallPiece(first + place, id_, name, arguments)


def _end(document: JsonObject, *, called: bool) -> Iterator[Event]:
    yield Finished(_finish(document, called=called))
    if usage := usage_of_ollama(document):
        yield Counted(usage)
    yield Ended()


def _finish(document: JsonObject, *, called: bool) -> Finish:
    if document.get("done_reason") == "length":
        return "length"
    return "tool_calls" if called else "stop"
