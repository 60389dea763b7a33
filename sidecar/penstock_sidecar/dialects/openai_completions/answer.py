"""Reads answers that pass: pieces of a stream, or a whole completion."""

from collections.abc import Iterator

from penstock_sidecar.dialects.dialect import Garbled, SaidError
from penstock_sidecar.dialects.events import (
    Counted,
    Ended,
    Event,
    Finished,
    Started,
    TextPiece,
)
from penstock_sidecar.dialects.fields import string_of
from penstock_sidecar.dialects.openai_chat.answer import FINISHES, choices_of
from penstock_sidecar.dialects.usage import usage_of_openai
from penstock_sidecar.model import JsonObject


class CompletionReader:
    """Of a stream. It is whole after `[DONE]`, or once all `choices` have finished."""

    def __init__(self, choices: int) -> None:
        self._wanted = choices
        self._finished: set[int] = set()
        self._started = False

    def read(self, document: JsonObject) -> Iterator[Event]:
        if error := document.get("error"):
            raise SaidError(error)
        if not self._started:
            self._started = True
            yield _started(document)
        for event in _said(document):
            if isinstance(event, Finished):
                self._finished.add(event.choice)
            yield event

    def over(self) -> Iterator[Event]:
        if len(self._finished) < self._wanted:
            raise Garbled("ended its answer half-way")
        yield Ended()


def read_completion(document: JsonObject) -> Iterator[Event]:
    if error := document.get("error"):
        raise SaidError(error)
    if not isinstance(document.get("choices"), list):
        raise Garbled("answered with what is no completion")
    yield _started(document)
    yield from _said(document)
    yield Ended()


def _said(document: JsonObject) -> Iterator[Event]:
    for choice in choices_of(document):
        found = choice.get("index")
        index = found if isinstance(found, int) else 0
        if text := string_of(choice.get("text")):
            yield TextPiece(text, index)
        if finish := string_of(choice.get("finish_reason")):
            yield Finished(FINISHES.get(finish, "stop"), index)
    if usage := usage_of_openai(document.get("usage")):
        yield Counted(usage)


def _started(document: JsonObject) -> Started:
    return Started(string_of(document.get("id")), string_of(document.get("model")))
