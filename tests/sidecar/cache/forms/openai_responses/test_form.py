"""A response's events, told again: to us the same response, to OpenAI's client valid."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from penstock_sidecar.cache.forms import NotUnderstood
from penstock_sidecar.cache.forms.openai_responses import FORM
from penstock_sidecar.cache.forms.pieces import PIECE_CHARACTERS
from penstock_sidecar.model import Resumed
from tests.sidecar.cache.builders import request
from tests.sidecar.cache.forms.cutting import (
    Document,
    assembled,
    cut_bytes,
    events,
    replayed,
    sse,
    steady,
)
from tests.sidecar.cache.forms.openai_responses.streaming import response, responses

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
TEXT = {"type": "output_text", "text": "a", "annotations": [], "logprobs": []}
SAID: Document = {
    "id": "msg_1",
    "type": "message",
    "status": "completed",
    "role": "assistant",
    "content": [TEXT],
}
CALL: Document = {
    "id": "fc_1",
    "type": "function_call",
    "status": "completed",
    "call_id": "c",
    "name": "f",
    "arguments": "{}",
}
THOUGHT: Document = {
    "id": "rs_1",
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "hm"}],
    "encrypted_content": "x",
}


@steady
@given(st.data())
def test_a_replay_makes_the_same_response_to_us_and_is_valid_to_the_client(
    data: st.DataObject,
) -> None:
    answer = data.draw(responses())
    assert FORM.whole(answer, request())
    pieces = replayed(FORM, answer)
    draw: Any = data.draw
    assert assembled(FORM, cut_bytes(draw, b"".join(pieces))) == answer
    sent = events(pieces)
    for event in sent:
        EVENT.validate_python(event)
    assert [event["sequence_number"] for event in sent] == list(range(len(sent)))
    Response.model_validate(answer)


@steady
@given(responses())
def test_pieces_add_up_to_what_each_item_says_at_its_end(answer: Document) -> None:
    """As the client adds them, which keeps its own account of the stream."""
    told: dict[tuple[str, int, str], str] = {}
    done: dict[tuple[str, int, str], str] = {}
    for event in events(replayed(FORM, answer)):
        kind, _, end = event["type"].rpartition(".")
        at = (event.get("item_id", ""), _part_of(event), kind)
        if end == "delta":
            told[at] = told.get(at, "") + event["delta"]
        elif end == "done" and (values := [event[n] for n in VALUES if n in event]):
            done[at] = values[0]
    assert told == {at: text for at, text in done.items() if text}
    assert len(done) == sum(_parts(item) for item in answer["output"])


VALUES = ("text", "refusal", "arguments", "input")


def _part_of(event: Document) -> int:
    found = event.get("content_index", event.get("summary_index", 0))
    assert isinstance(found, int)
    return found


def _parts(item: Document) -> int:
    if item["type"].endswith("_call"):
        return 1
    return len(item.get("content") or []) + len(item.get("summary") or [])


def test_events_come_in_openai_s_order() -> None:
    text = {**TEXT, "text": "é" * (PIECE_CHARACTERS + 1)}
    sent = events(replayed(FORM, response(THOUGHT, {**SAID, "content": [text]}, CALL)))
    assert [event["type"].removeprefix("response.") for event in sent] == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]


def test_nothing_is_said_before_its_time() -> None:
    created, _, thought, *_ = events(replayed(FORM, response(THOUGHT, SAID)))
    begun = created["response"]
    assert (begun["status"], begun["output"], begun["usage"]) == ("in_progress", [], None)
    assert begun["completed_at"] is None
    assert thought["item"] == {"id": "rs_1", "type": "reasoning", "summary": []}


NOT_UNDERSTOOD: dict[str, list[Document]] = {
    "cut": [{"type": "response.created", "response": response()}],
    "incomplete": [{"type": "response.incomplete", "response": response(SAID)}],
    "failed": [{"type": "response.failed", "response": response(SAID)}],
    "error": [{"type": "error", "message": "x"}],
    "response as text": [{"type": "response.completed", "response": "a"}],
    "completed twice": [{"type": "response.completed", "response": response(SAID)}] * 2,
}


@pytest.mark.parametrize("case", NOT_UNDERSTOOD)
def test_what_is_not_understood_is_not_put_together(case: str) -> None:
    with pytest.raises(NotUnderstood):
        assembled(FORM, [sse(NOT_UNDERSTOOD[case])])


FIT: dict[str, Document] = {
    "text": response(THOUGHT, SAID),
    "refusal": response({**SAID, "content": [{"type": "refusal", "refusal": "no"}]}),
    "call": response(CALL),
    "own call": response({**CALL, "type": "custom_tool_call", "input": "a"}),
}
UNFIT: dict[str, Document] = {
    "incomplete": response(SAID, status="incomplete"),
    "in progress": response(SAID, status="in_progress"),
    "error": response(SAID, error={"code": "x"}),
    "no usage": response(SAID, usage=None),
    "no id": response(SAID, id=None),
    "another object": response(SAID, object="chat.completion"),
    "empty": response(),
    "blank": response({**SAID, "content": [{**TEXT, "text": " \n"}]}),
    "thoughts alone": response(THOUGHT),
    "output as text": response(SAID, output="a"),
    "item as text": response(SAID, output=["a"]),
    "item without id": response({**SAID, "id": None}),
    "part as text": response({**SAID, "content": ["a"]}),
    "text as number": response({**SAID, "content": [{**TEXT, "text": 1}]}),
    "annotations as text": response({**SAID, "content": [{**TEXT, "annotations": "a"}]}),
    "summary as text": response({**THOUGHT, "summary": "hm"}, SAID),
    "arguments as object": response({**CALL, "arguments": {}}),
    "what a tool found": response({"id": "ws_1", "type": "web_search_call"}, SAID),
    "what a server did": response({"id": "mcp_1", "type": "mcp_call"}, SAID),
}


@pytest.mark.parametrize("case", FIT)
def test_a_normal_end_is_whole(case: str) -> None:
    assert FORM.whole(FIT[case], request())


@pytest.mark.parametrize("case", UNFIT)
def test_at17_anything_else_is_not(case: str) -> None:
    assert not FORM.whole(UNFIT[case], request())


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"store": False}, True),
        ({}, False),
        ({"store": True}, False),
        ({"store": None}, False),
        ({"store": False, "previous_response_id": "resp_1"}, False),
        ({"store": False, "conversation": "conv_1"}, False),
        ({"store": False, "prompt": {"id": "pmpt_1"}}, False),
        ({"store": False, "previous_response_id": None}, True),
    ],
)
def test_only_what_nobody_can_go_on_from_is_kept(fields: Document, kept: bool) -> None:
    assert FORM.keeps(request(fields)) is kept


def test_an_answer_that_names_a_former_response_is_not_kept() -> None:
    """Who sends the same conversation himself is not to hear of it."""
    asked = request({"store": False})
    assert not FORM.keeps(replace(asked, resumed=Resumed("resp_1", 2)))
