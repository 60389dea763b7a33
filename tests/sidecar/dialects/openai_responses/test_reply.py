"""What callers get: the exact events, and the whole response."""

from typing import Any

import pytest
from hypothesis import given
from openai._models import construct_type
from openai._types import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response
from openai.types.responses import ResponseStreamEvent as AnyEvent

from penstock_sidecar.dialects.dialect import Identity
from penstock_sidecar.dialects.events import (
    CallPiece,
    Event,
    Finish,
    RefusalPiece,
    TextPiece,
    ThoughtPiece,
)
from penstock_sidecar.dialects.openai_responses.thoughts import sealed
from tests.sidecar.dialects.openai_responses.given import (
    FINISHES,
    IDENTITY,
    PIECES,
    answer,
    documents,
    plain,
    steady,
    streamed,
)

EMPTY_TEXT = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
YES = {**EMPTY_TEXT, "text": "Yes."}
TOKEN = {"token": "Yes", "logprob": -0.1, "bytes": [89], "top_logprobs": []}


def test_a_text_is_told_event_by_event() -> None:
    events = documents(streamed(answer(TextPiece("Yes"), TextPiece("."))))
    assert [event.pop("sequence_number") for event in events] == list(range(10))
    message = {"id": "msg_call_0", "type": "message", "role": "assistant"}
    place = {"item_id": "msg_call_0", "output_index": 0, "content_index": 0}
    begun, ended = events[0]["response"], events[-1]["response"]
    done = {**message, "status": "completed", "content": [YES]}
    assert (begun["status"], begun["output"], begun["usage"]) == ("in_progress", [], None)
    assert (ended["status"], ended["output"], ended["model"]) == ("completed", [done], "m")
    assert begun["id"] == ended["id"] == "resp_call"
    assert events == [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**message, "status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **place, "part": EMPTY_TEXT},
        {"type": "response.output_text.delta", **place, "delta": "Yes", "logprobs": []},
        {"type": "response.output_text.delta", **place, "delta": ".", "logprobs": []},
        {"type": "response.output_text.done", **place, "text": "Yes.", "logprobs": []},
        {"type": "response.content_part.done", **place, "part": YES},
        {"type": "response.output_item.done", "output_index": 0, "item": done},
        {"type": "response.completed", "response": ended},
    ]


def test_a_thought_is_a_summary_and_keeps_its_signature() -> None:
    events = documents(
        streamed(answer(ThoughtPiece("Is it?"), ThoughtPiece("", "sig"), TextPiece("Yes.")))
    )
    place = {"item_id": "rs_call_0", "output_index": 0, "summary_index": 0}
    item = {"id": "rs_call_0", "type": "reasoning", "summary": []}
    summary = {"type": "summary_text", "text": "Is it?"}
    done = {**item, "summary": [summary], "encrypted_content": sealed("sig", None)}
    for event in events:
        del event["sequence_number"]
    name = "response.reasoning_summary"
    assert events[2:8] == [
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": f"{name}_part.added", **place, "part": {**summary, "text": ""}},
        {"type": f"{name}_text.delta", **place, "delta": "Is it?"},
        {"type": f"{name}_text.done", **place, "text": "Is it?"},
        {"type": f"{name}_part.done", **place, "part": summary},
        {"type": "response.output_item.done", "output_index": 0, "item": done},
    ]
    assert events[8]["output_index"] == 1


def test_a_thought_that_nobody_can_read_is_an_item_of_its_own() -> None:
    output = plain(answer(ThoughtPiece("a", "s"), ThoughtPiece(redacted="r"), TextPiece("b")))[
        "output"
    ]
    assert output[:2] == [
        {
            "id": "rs_call_0",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "a"}],
            "encrypted_content": sealed("s", None),
        },
        {
            "id": "rs_call_1",
            "type": "reasoning",
            "summary": [],
            "encrypted_content": sealed(None, "r"),
        },
    ]


def test_calls_whose_arguments_come_in_turns_stay_apart() -> None:
    events = documents(
        streamed(
            answer(
                CallPiece(0, "call_a", "f"),
                CallPiece(1, "", "g"),
                CallPiece(0, arguments='{"a":'),
                CallPiece(1, arguments="{}"),
                CallPiece(0, arguments="1}"),
                finish="tool_calls",
            )
        )
    )
    assert [(e["output_index"], e["delta"]) for e in events if "delta" in e] == [
        (0, '{"a":'),
        (1, "{}"),
        (0, "1}"),
    ]
    done = [e for e in events if e["type"] == "response.function_call_arguments.done"]
    assert [(e["item_id"], e["arguments"]) for e in done] == [
        ("fc_call_0", '{"a":1}'),
        ("fc_call_1", "{}"),
    ]
    assert events[-1]["response"]["output"] == [
        {
            "id": "fc_call_0",
            "type": "function_call",
            "status": "completed",
            "arguments": '{"a":1}',
            "call_id": "call_a",
            "name": "f",
        },
        {
            "id": "fc_call_1",
            "type": "function_call",
            "status": "completed",
            "arguments": "{}",
            "call_id": "call_call_1",
            "name": "g",
        },
    ]


def test_a_refusal_after_a_text_is_the_message_s_second_part() -> None:
    events = documents(streamed(answer(TextPiece("Yes."), RefusalPiece("No."))))
    refusals = [e for e in events if e["type"].startswith("response.refusal")]
    assert [(e["type"], e["content_index"]) for e in refusals] == [
        ("response.refusal.delta", 1),
        ("response.refusal.done", 1),
    ]
    assert events[-1]["response"]["output"][0]["content"] == [
        YES,
        {"type": "refusal", "refusal": "No."},
    ]


def test_log_probabilities_are_told_with_each_piece_and_in_all() -> None:
    events = documents(streamed(answer(TextPiece("Yes", logprobs=(TOKEN,)))))
    assert events[4]["logprobs"] == [TOKEN]
    assert events[5]["logprobs"] == [TOKEN]
    assert events[-1]["response"]["output"][0]["content"][0]["logprobs"] == [TOKEN]


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_how_it_ended_is_its_status(finish: Finish, status: str, reason: object) -> None:
    events = documents(streamed(answer(TextPiece("Yes"), finish=finish)))
    last = events[-1]
    assert last["type"] == f"response.{status}"
    assert last["response"]["status"] == status
    assert last["response"]["incomplete_details"] == reason
    assert last["response"]["output"][0]["status"] == status


def test_an_answer_repeats_what_was_asked() -> None:
    asked: dict[str, Any] = {
        "instructions": "Be brief.",
        "tools": [{"type": "function", "name": "f", "parameters": {}}],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "metadata": {"a": "b"},
        "temperature": 0,
        "previous_response_id": "resp_1",
        "store": False,
        "user": None,
        "input": "not told",
    }
    response = plain(answer(TextPiece("Yes")), Identity("c", 1, "fast", asked=asked))
    told = {name: response[name] for name in asked if name != "input"}
    assert told == {name: value for name, value in asked.items() if name != "input"}
    assert "input" not in response


def test_an_answer_without_usage_says_that_nobody_counted() -> None:
    events = [event for event in answer(TextPiece("Yes")) if type(event).__name__ != "Counted"]
    assert plain(events)["usage"] is None


@steady
@given(PIECES, FINISHES)
def test_a_stream_ends_with_what_a_plain_answer_is(pieces: list[Event], finish: Finish) -> None:
    events = answer(*pieces, finish=finish)
    assert documents(streamed(events))[-1]["response"] == plain(events)


@steady
@given(PIECES, FINISHES)
def test_every_item_begins_and_ends_once_and_its_pieces_are_its_content(
    pieces: list[Event], finish: Finish
) -> None:
    events = documents(streamed(answer(*pieces, finish=finish)))
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    output = events[-1]["response"]["output"]
    for kind in ("added", "done"):
        named = [e for e in events if e["type"] == f"response.output_item.{kind}"]
        assert sorted(e["output_index"] for e in named) == list(range(len(output)))
    for event in events:
        if event["type"] == "response.output_item.done":
            assert event["item"] == output[event["output_index"]]
    said = "".join(p.text for p in pieces if isinstance(p, TextPiece) and not p.choice)
    told = (e["delta"] for e in events if e["type"] == "response.output_text.delta")
    assert "".join(told) == said


@steady
@given(PIECES, FINISHES)
def test_the_official_client_puts_any_stream_together(pieces: list[Event], finish: Finish) -> None:
    state = ResponseStreamState(input_tools=omit, text_format=omit)
    documents_ = documents(streamed(answer(*pieces, finish=finish)))
    for document in documents_:
        event: Any = construct_type(type_=AnyEvent, value=document)
        state.handle_event(event)
    for document in (documents_[0]["response"], documents_[-1]["response"]):
        Response.model_validate(document)
    completed = state._completed_response
    assert (completed is None) == (finish in {"length", "content_filter"})
    if completed is not None:
        assert completed.output_text == "".join(
            p.text for p in pieces if isinstance(p, TextPiece) and not p.choice
        )


def test_the_identity_is_the_call_s() -> None:
    response = plain(answer(TextPiece("Yes")))
    assert (response["id"], response["created_at"]) == ("resp_call", IDENTITY.created)


def test_two_calls_of_one_id_are_told_apart() -> None:
    pieces = (CallPiece(0, "same", "f"), CallPiece(1, "same", "f"))
    calls = plain(answer(*pieces, finish="tool_calls"))["output"]
    assert [call["call_id"] for call in calls] == ["same", "call_call_1"]
