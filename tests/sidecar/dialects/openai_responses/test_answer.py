"""What is read of answers that pass: content, usage, end."""

from typing import Any

import pytest
from hypothesis import given

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
from penstock_sidecar.dialects.openai_responses.answer import ResponsesReader, read_response
from penstock_sidecar.dialects.whole import whole
from penstock_sidecar.model import Usage
from tests.sidecar.dialects.openai_responses.given import (
    FINISHES,
    PIECES,
    USAGE,
    answer,
    documents,
    plain,
    steady,
    streamed,
)

COUNTS = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}


def response(*output: dict[str, Any], **fields: Any) -> dict[str, Any]:
    head = {"id": "resp_1", "model": "m", "status": "completed", "error": None}
    return {**head, "output": list(output), "usage": COUNTS, **fields}


def read(*events: dict[str, Any]) -> list[Event]:
    reader = ResponsesReader(1)
    return [event for document in events for event in reader.read(document)]


def test_a_whole_response_is_read() -> None:
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}
    own = {"type": "reasoning", "summary": [], "content": [{"text": "Own."}]}
    message = {
        "type": "message",
        "content": [
            {"type": "output_text", "text": "Yes."},
            {"type": "refusal", "refusal": "No."},
        ],
    }
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    search = {"type": "web_search_call", "id": "ws_1"}
    assert list(read_response(response(thought, own, message, call, search))) == [
        Started("resp_1", "m"),
        ThoughtPiece("Hm."),
        ThoughtPiece("Own."),
        TextPiece("Yes."),
        RefusalPiece("No."),
        CallPiece(3, "c", "f"),
        CallPiece(3, arguments="{}"),
        OtherPiece(),
        Finished("tool_calls"),
        Counted(Usage(7, 3)),
        Ended(),
    ]


def test_a_stream_s_events_are_read() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}
    custom = {"type": "custom_tool_call", "call_id": "d", "name": "g"}
    name = "response.function_call_arguments"
    assert read(
        {"type": "response.created", "response": response(usage=None)},
        {"type": "response.in_progress", "response": response(usage=None)},
        {"type": "response.reasoning_summary_text.delta", "delta": "Hm."},
        {"type": "response.reasoning_text.delta", "delta": "Own."},
        {"type": "response.output_item.added", "output_index": 1, "item": {"type": "message"}},
        {"type": "response.output_text.delta", "delta": "Yes."},
        {"type": "response.output_text.done", "text": "Yes."},
        {"type": "response.refusal.delta", "delta": "No."},
        {"type": "response.output_item.added", "output_index": 2, "item": call},
        {"type": f"{name}.delta", "output_index": 2, "delta": "{}"},
        {"type": f"{name}.done", "output_index": 2, "arguments": "{}"},
        {"type": "response.output_item.added", "output_index": 3, "item": custom},
        {"type": "response.custom_tool_call_input.delta", "output_index": 3, "delta": "x"},
        {
            "type": "response.output_item.added",
            "output_index": 4,
            "item": {"type": "image_generation_call"},
        },
        {"type": "response.of_next_year", "delta": "?"},
        {"type": "response.completed", "response": response({"type": "message"})},
    ) == [
        Started("resp_1", "m"),
        ThoughtPiece("Hm."),
        ThoughtPiece("Own."),
        TextPiece("Yes."),
        RefusalPiece("No."),
        CallPiece(2, "c", "f"),
        CallPiece(2, arguments="{}"),
        CallPiece(3, "d", "g"),
        CallPiece(3, arguments="x"),
        OtherPiece(),
        Finished("stop"),
        Counted(Usage(7, 3)),
        Ended(),
    ]


@pytest.mark.parametrize(
    ("details", "finish"),
    [
        ({"reason": "max_output_tokens"}, "length"),
        ({"reason": "content_filter"}, "content_filter"),
        (None, "length"),
    ],
)
def test_an_incomplete_response_says_why(details: object, finish: Finish) -> None:
    cut = response(status="incomplete", incomplete_details=details)
    assert Finished(finish) in list(read_response(cut))
    assert Finished(finish) in read({"type": "response.incomplete", "response": cut})


@pytest.mark.parametrize(
    "document",
    [
        {"type": "error", "code": "rate_limit_exceeded", "message": "Slowly.", "param": None},
        {"type": "error", "error": {"code": "rate_limit_exceeded", "message": "Slowly."}},
        {
            "type": "response.failed",
            "response": {"error": {"code": "rate_limit_exceeded", "message": "Slowly."}},
        },
    ],
)
def test_an_error_within_a_stream_is_one(document: dict[str, Any]) -> None:
    with pytest.raises(SaidError) as caught:
        read(document)
    assert isinstance(caught.value.value, dict)
    assert caught.value.value["code"] == "rate_limit_exceeded"


def test_a_failed_response_is_an_error() -> None:
    with pytest.raises(SaidError):
        list(read_response(response(status="failed", error={"code": "server_error"})))


def test_a_stream_without_its_last_event_is_half_an_answer() -> None:
    with pytest.raises(Garbled):
        list(ResponsesReader(1).over())


def test_what_has_no_output_is_no_response() -> None:
    with pytest.raises(Garbled):
        list(read_response({"choices": []}))


@steady
@given(PIECES, FINISHES)
def test_what_is_written_is_read_again(pieces: list[Event], finish: Finish) -> None:
    """All but what the API has no words for: which of several texts came after which call, and
    how thoughts were signed."""
    events = answer(*pieces, finish=finish)
    given_, read_ = whole(events), whole(read(*documents(streamed(events))))
    again = whole(list(read_response(plain(events))))
    for found in (read_, again):
        assert found.first.text == given_.first.text
        assert found.first.refusal == given_.first.refusal
        assert found.first.thought == given_.first.thought
        assert [(c.name, c.arguments) for c in found.first.calls] == [
            (c.name, c.arguments) for c in given_.first.calls
        ]
        assert found.usage == USAGE
