"""Reads answers: chunks of a stream, or a whole completion."""

from collections.abc import Iterator, Mapping
from typing import Final

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
from penstock_sidecar.dialects.openai_chat.calls import Calls
from penstock_sidecar.dialects.usage import usage_of_openai
from penstock_sidecar.model import JsonObject

FINISHES: Final[Mapping[object, Finish]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
TEXT_ALONE: Final = frozenset({"content", "role"})


class OpenAiReader:
    """Of a stream. It is whole after `[DONE]`, or once all `choices` have finished."""

    def __init__(self, choices: int) -> None:
        self._wanted = choices
        self._finished: set[int] = set()
        self._started = False
        self._calls = Calls()

    def read(self, document: JsonObject) -> Iterator[Event]:
        if error := document.get("error"):
            raise SaidError(error)
        if not self._started:
            self._started = True
            yield _started(document)
        for choice in choices_of(document):
            index = _index(choice)
            yield from _said(choice.get("delta"), index, _logprobs(choice), self._calls)
            if (finish := _finish(choice)) is not None:
                self._finished.add(index)
                yield Finished(finish, index)
        if usage := usage_of_openai(document.get("usage")):
            yield Counted(usage)

    def over(self) -> Iterator[Event]:
        if len(self._finished) < self._wanted:
            raise Garbled("ended its answer half-way")
        yield Ended()


def read_completion(document: JsonObject) -> Iterator[Event]:
    if error := document.get("error"):
        raise SaidError(error)
    if not isinstance(document.get("choices"), list):
        raise Garbled("answered with what is no chat completion")
    yield _started(document)
    calls = Calls()
    for choice in choices_of(document):
        index = _index(choice)
        yield from _said(choice.get("message"), index, _logprobs(choice), calls)
        if (finish := _finish(choice)) is not None:
            yield Finished(finish, index)
    if usage := usage_of_openai(document.get("usage")):
        yield Counted(usage)
    yield Ended()


def choices_of(document: JsonObject) -> list[JsonObject]:
    choices = document.get("choices")
    return [c for c in choices if isinstance(c, dict)] if isinstance(choices, list) else []


def text_of(value: object) -> str:
    """A string, or the text within a list of parts (Mistral's thinking nests them)."""
    match value:
        case str():
            return value
        case list():
            return "".join(map(text_of, value))
        case {"text": inner} | {"thinking": inner}:
            return text_of(inner)
        case _:
            return ""


def _said(
    piece: object, choice: int, logprobs: tuple[JsonObject, ...], calls: Calls
) -> Iterator[Event]:
    if not isinstance(piece, dict):
        return
    content = piece.get("content")
    if piece.keys() <= TEXT_ALONE and isinstance(content, str):  # as most pieces of a stream
        if content:
            yield TextPiece(content, choice, logprobs)
        return
    if thought := text_of(piece.get("reasoning_content")) or text_of(piece.get("reasoning")):
        yield ThoughtPiece(thought, choice=choice)
    yield from _content(content, choice, logprobs)
    if refusal := text_of(piece.get("refusal")):
        yield RefusalPiece(refusal, choice)
    yield from map(calls.placed, _calls(piece, choice))
    if piece.get("audio"):
        yield OtherPiece(choice)


def _content(content: object, choice: int, logprobs: tuple[JsonObject, ...]) -> Iterator[Event]:
    """A string, or parts, of which Mistral's thoughts are some:
    https://docs.mistral.ai/capabilities/reasoning."""
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, dict) and "thinking" in part:
            if thought := text_of(part["thinking"]):
                yield ThoughtPiece(thought, choice=choice)
        elif text := text_of(part):
            yield TextPiece(text, choice, logprobs)
            logprobs = ()


def _calls(piece: JsonObject, choice: int) -> Iterator[CallPiece]:
    calls = piece.get("tool_calls")
    for position, call in enumerate(calls if isinstance(calls, list) else []):
        if isinstance(call, dict):
            yield _call(call, position, choice)
    if isinstance(legacy := piece.get("function_call"), dict):
        yield _call({"function": legacy}, 0, choice)


def _call(call: JsonObject, position: int, choice: int) -> CallPiece:
    """Some servers leave out the index of the only call."""
    found, index = call.get("function"), call.get("index")
    function: JsonObject = found if isinstance(found, dict) else {}
    return CallPiece(
        index if isinstance(index, int) else position,
        text_of(call.get("id")),
        text_of(function.get("name")),
        text_of(function.get("arguments")),
        choice=choice,
    )


def _started(document: JsonObject) -> Started:
    return Started(text_of(document.get("id")), text_of(document.get("model")))


def _index(choice: JsonObject) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def _finish(choice: JsonObject) -> Finish | None:
    found = choice.get("finish_reason")
    return FINISHES.get(found, "stop") if isinstance(found, str) else None


def _logprobs(choice: JsonObject) -> tuple[JsonObject, ...]:
    match choice.get("logprobs"):
        case {"content": [*tokens]}:
            return tuple(token for token in tokens if isinstance(token, dict))
        case _:
            return ()
