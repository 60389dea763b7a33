"""What Anthropic's callers are told: whole streams, whole messages."""

import json
from typing import Any

import pytest
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from penstock_sidecar.dialects.anthropic.reply import AnthropicWriter, write_message
from penstock_sidecar.dialects.dialect import Identity
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
from penstock_sidecar.model import Usage

IDENTITY = Identity("call-1", 0, "fast")
USAGE = Usage(20, 30, cached_input_tokens=5, cache_write_tokens=3, reasoning_tokens=9)
COUNTED = {
    "input_tokens": 12,
    "cache_creation_input_tokens": 3,
    "cache_read_input_tokens": 5,
    "output_tokens": 30,
    "output_tokens_details": {"thinking_tokens": 9},
}
NOTHING = {
    "input_tokens": 0,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
    "output_tokens": 0,
}
HEAD = {"id": "msg_call-1", "type": "message", "role": "assistant", "model": "gpt-x"}
EVENTS: list[Event] = [
    Started("chatcmpl-1", "gpt-x"),
    ThoughtPiece("Let"),
    ThoughtPiece(" me"),
    ThoughtPiece(signature="EqQB"),
    ThoughtPiece(redacted="Emw"),
    TextPiece("I "),
    TextPiece("look"),
    CallPiece(0, "c1", "weather"),
    CallPiece(0, arguments='{"a'),
    CallPiece(0, arguments='":1}'),
    CallPiece(1, "", "now", "{}"),
    Finished("tool_calls"),
    Counted(USAGE),
    Ended(),
]


def stream(*events: Event) -> list[tuple[str, dict[str, Any]]]:
    """Names and documents, each one that the vendor's own types take."""
    writer = AnthropicWriter(IDENTITY)
    data = b"".join([writer.write(event) for event in events])
    found = []
    for frame in data.decode().removesuffix("\n\n").split("\n\n"):
        name, line = frame.split("\n")
        document = json.loads(line.removeprefix("data: "))
        found.append((name.removeprefix("event: "), document))
        if document["type"] != "ping":
            TypeAdapter(RawMessageStreamEvent).validate_python(document)
    return found


def delta(index: int, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def start(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def test_a_whole_stream() -> None:
    found = stream(*EVENTS)
    assert [name for name, _ in found] == [document["type"] for _, document in found]
    stopped = {"stop_reason": None, "stop_sequence": None}
    message: dict[str, Any] = {**HEAD, "content": [], **stopped, "usage": NOTHING}
    ended = {"stop_reason": "tool_use", "stop_sequence": None}
    assert [document for _, document in found] == [
        {"type": "message_start", "message": message},
        start(0, type="thinking", thinking="", signature=""),
        {"type": "ping"},
        delta(0, type="thinking_delta", thinking="Let"),
        delta(0, type="thinking_delta", thinking=" me"),
        delta(0, type="signature_delta", signature="EqQB"),
        stop(0),
        start(1, type="redacted_thinking", data="Emw"),
        stop(1),
        start(2, type="text", text=""),
        delta(2, type="text_delta", text="I "),
        delta(2, type="text_delta", text="look"),
        stop(2),
        start(3, type="tool_use", id="c1", name="weather", input={}),
        delta(3, type="input_json_delta", partial_json='{"a'),
        delta(3, type="input_json_delta", partial_json='":1}'),
        stop(3),
        start(4, type="tool_use", id="call_call-1_1", name="now", input={}),
        delta(4, type="input_json_delta", partial_json="{}"),
        stop(4),
        {"type": "message_delta", "delta": ended, "usage": COUNTED},
        {"type": "message_stop"},
    ]


def test_the_same_message_whole() -> None:
    document = write_message(EVENTS, IDENTITY)
    Message.model_validate(document)
    assert document == {
        **HEAD,
        "content": [
            {"type": "thinking", "thinking": "Let me", "signature": "EqQB"},
            {"type": "redacted_thinking", "data": "Emw"},
            {"type": "text", "text": "I look"},
            {"type": "tool_use", "id": "c1", "name": "weather", "input": {"a": 1}},
            {"type": "tool_use", "id": "call_call-1_1", "name": "now", "input": {}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": COUNTED,
    }


@pytest.mark.parametrize(
    ("finish", "sequence", "reason"),
    [
        ("stop", None, "end_turn"),
        ("stop", "END", "stop_sequence"),
        ("length", None, "max_tokens"),
        ("tool_calls", None, "tool_use"),
        ("content_filter", None, "refusal"),
    ],
)
def test_why_it_stopped(finish: Finish, sequence: str | None, reason: str) -> None:
    events: list[Event] = [
        Started(),
        TextPiece("x"),
        Finished(finish, stop_sequence=sequence),
        Ended(),
    ]
    said = {"stop_reason": reason, "stop_sequence": sequence}
    assert said.items() <= write_message(events, IDENTITY).items()
    assert stream(*events)[-2][1]["delta"] == said


def test_calls_are_a_reason_to_stop_also_where_the_provider_says_another() -> None:
    events: list[Event] = [Started(), CallPiece(0, "c", "f", "{}"), Finished("stop"), Ended()]
    assert write_message(events, IDENTITY)["stop_reason"] == "tool_use"
    assert stream(*events)[-2][1]["delta"]["stop_reason"] == "tool_use"


def test_a_refusal_is_told_as_text() -> None:
    events: list[Event] = [Started(), RefusalPiece("No."), Finished("content_filter"), Ended()]
    assert write_message(events, IDENTITY)["content"] == [{"type": "text", "text": "No."}]
    assert delta(0, type="text_delta", text="No.") in [document for _, document in stream(*events)]


def test_who_has_not_counted_has_counted_nothing() -> None:
    events: list[Event] = [Started(), TextPiece("x"), OtherPiece(), Finished("stop"), Ended()]
    document = write_message(events, IDENTITY)
    assert (document["usage"], document["model"]) == (NOTHING, "fast")
    assert stream(*events)[-2][1]["usage"] == NOTHING


def test_arguments_that_are_no_object_are_shown_as_they_are() -> None:
    events: list[Event] = [
        Started(),
        CallPiece(0, "c", "f", "{oops"),
        Finished("tool_calls"),
        Ended(),
    ]
    block = {"type": "tool_use", "id": "c", "name": "f", "input": {"arguments": "{oops"}}
    assert write_message(events, IDENTITY)["content"] == [block]


def test_pieces_of_calls_that_are_mixed_go_where_they_belong() -> None:
    found = [
        document
        for _, document in stream(
            Started(),
            CallPiece(0, "a", "f", '{"x"'),
            CallPiece(1, "b", "g", "{}"),
            CallPiece(0, arguments=":1}"),
            Finished("tool_calls"),
            Ended(),
        )
    ]
    assert delta(0, type="input_json_delta", partial_json=":1}") in found
