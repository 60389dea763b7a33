"""Reads answers that pass: events of a stream, or a whole response."""

from collections.abc import Callable, Iterator, Mapping
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
from penstock_sidecar.dialects.fields import object_of, objects_of, string_of
from penstock_sidecar.dialects.usage import usage_of_openai
from penstock_sidecar.model import JsonObject

ENDS: Final = ("response.completed", "response.incomplete")
"""Events that hold all of an answer, and are the last of it."""
CALLS: Final = frozenset({"function_call", "custom_tool_call"})


class ResponsesReader:
    """Of a stream, whose last event holds all of it."""

    def __init__(self, choices: int) -> None:
        """There is only ever one."""

    def read(self, document: JsonObject) -> Iterator[Event]:
        reads = READS.get(string_of(document.get("type")))
        return reads(document) if reads else iter(())

    def over(self) -> Iterator[Event]:
        raise Garbled("ended its answer half-way")


def read_response(document: JsonObject) -> Iterator[Event]:
    if error := document.get("error"):
        raise SaidError(error)
    if not isinstance(document.get("output"), list):
        raise Garbled("answered with what is no response")
    yield _started(document)
    for index, item in objects_of(document.get("output")):
        yield from _begun(item, index)
        yield from _said(item, index)
    yield from _ended(document)


def _begun(item: JsonObject, index: int) -> Iterator[Event]:
    """What is neither text nor thought nor call is a hosted tool's work."""
    kind = string_of(item.get("type"))
    if kind in CALLS:
        yield CallPiece(index, string_of(item.get("call_id")), string_of(item.get("name")))
    elif kind not in {"message", "reasoning"}:
        yield OtherPiece()


def _said(item: JsonObject, index: int) -> Iterator[Event]:
    for _, part in objects_of(item.get("content")):
        if refusal := string_of(part.get("refusal")):
            yield RefusalPiece(refusal)
        elif text := string_of(part.get("text")):
            yield ThoughtPiece(text) if item.get("type") == "reasoning" else TextPiece(text)
    for _, part in objects_of(item.get("summary")):
        yield ThoughtPiece(string_of(part.get("text")))
    if arguments := string_of(item.get("arguments")) or string_of(item.get("input")):
        yield CallPiece(index, arguments=arguments)


def _ended(response: JsonObject) -> Iterator[Event]:
    yield Finished(_finish(response))
    if usage := usage_of_openai(response.get("usage")):
        yield Counted(usage)
    yield Ended()


def _finish(response: JsonObject) -> Finish:
    match response:
        case {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}:
            return "content_filter"
        case {"status": "incomplete"}:
            return "length"
        case _:
            items = [item for _, item in objects_of(response.get("output"))]
            calls = any(string_of(item.get("type")) in CALLS for item in items)
            return "tool_calls" if calls else "stop"


def _started(response: JsonObject) -> Started:
    return Started(string_of(response.get("id")), string_of(response.get("model")))


def _index(document: JsonObject) -> int:
    index = document.get("output_index")
    return index if isinstance(index, int) else 0


def _response(document: JsonObject) -> JsonObject:
    return object_of(document.get("response"))


def _text(document: JsonObject) -> Iterator[Event]:
    yield TextPiece(string_of(document.get("delta")))


def _refusal(document: JsonObject) -> Iterator[Event]:
    yield RefusalPiece(string_of(document.get("delta")))


def _thought(document: JsonObject) -> Iterator[Event]:
    yield ThoughtPiece(string_of(document.get("delta")))


def _arguments(document: JsonObject) -> Iterator[Event]:
    yield CallPiece(_index(document), arguments=string_of(document.get("delta")))


def _failed(document: JsonObject) -> Iterator[Event]:
    raise SaidError(_response(document).get("error") or document.get("error") or document)


READS: Final[Mapping[str, Callable[[JsonObject], Iterator[Event]]]] = {
    "response.created": lambda document: iter((_started(_response(document)),)),
    "response.output_text.delta": _text,
    "response.refusal.delta": _refusal,
    "response.reasoning_summary_text.delta": _thought,
    "response.reasoning_text.delta": _thought,
    "response.output_item.added": lambda document: _begun(
        object_of(document.get("item")), _index(document)
    ),
    "response.function_call_arguments.delta": _arguments,
    "response.custom_tool_call_input.delta": _arguments,
    **dict.fromkeys(ENDS, lambda document: _ended(_response(document))),
    "response.failed": _failed,
    "error": _failed,
}
"""By an event's type; others say nothing new."""
