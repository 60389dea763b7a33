"""Reads answers of `/api/chat`: lines of a stream, or a whole one."""

from collections.abc import Iterator

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


class OllamaReader:
    """Of a stream; it ends with the line that says `done`."""

    def __init__(self, _choices: int) -> None:
        self._started = False
        self._calls = 0

    def read(self, document: JsonObject) -> Iterator[Event]:
        if error := document.get("error"):
            raise SaidError(error)
        if not self._started:
            self._started = True
            yield Started(model=string_of(document.get("model")))
        message = object_of(document.get("message"))
        yield from _said(message, document)
        calls = tuple(_calls(message, self._calls))
        self._calls += len(calls)
        yield from calls
        if document.get("done") is True:
            yield from _end(document, called=self._calls > 0)

    def over(self) -> Iterator[Event]:
        raise Garbled("ended its answer half-way")


def read_answer(document: JsonObject) -> Iterator[Event]:
    if error := document.get("error"):
        raise SaidError(error)
    if not isinstance(document.get("message"), dict):
        raise Garbled("answered without a message")
    reader = OllamaReader(1)
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
