"""A stream's events make the message, however they were cut; a message makes them again."""

from typing import Any

import pytest
from anthropic.types import Message, RawMessageStreamEvent
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from penstock_sidecar.cache.forms import NotUnderstood
from penstock_sidecar.cache.forms.anthropic_messages import FORM
from penstock_sidecar.cache.forms.pieces import MAX_PARTS, PIECE_CHARACTERS
from tests.sidecar.cache.builders import request
from tests.sidecar.cache.forms.anthropic_messages.streaming import PING, messages, streams
from tests.sidecar.cache.forms.cutting import (
    Document,
    assembled,
    cut_bytes,
    events,
    replayed,
    sse,
    steady,
)

EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


@steady
@given(st.data())
def test_a_stream_is_the_plain_message_however_it_was_cut(data: st.DataObject) -> None:
    message = data.draw(messages())
    sent = sse(data.draw(streams(message)))
    draw: Any = data.draw
    assert assembled(FORM, cut_bytes(draw, sent)) == message
    assert FORM.whole(message, request())


@steady
@given(messages())
def test_a_replay_makes_the_same_message_to_us_and_is_valid_to_the_client(
    message: Document,
) -> None:
    pieces = replayed(FORM, message)
    assert assembled(FORM, pieces) == message
    for event in events(pieces):
        if event != PING:  # the client leaves it out
            EVENT.validate_python(event)
    Message.model_validate(message)


def test_events_come_in_anthropic_s_order() -> None:
    text = {"type": "text", "text": "é" * (PIECE_CHARACTERS + 1)}
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    kinds = [event["type"] for event in events(replayed(FORM, message(text, call)))]
    assert kinds == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_nothing_is_said_before_its_time() -> None:
    begun = events(replayed(FORM, message({"type": "text", "text": "secret"})))[0]["message"]
    assert (begun["content"], begun["stop_reason"], begun["usage"]["output_tokens"]) == (
        [],
        None,
        0,
    )


def test_what_is_told_at_the_end_is_told_there_again() -> None:
    whole = {**message({"type": "text", "text": "a"}), "stop_details": {"type": "of its own"}}
    first, *_, last, _ = events(replayed(FORM, whole))
    assert first["message"]["stop_details"] is None
    assert last["delta"]["stop_details"] == {"type": "of its own"}
    assert assembled(FORM, replayed(FORM, whole)) == whole


def message(*blocks: Document, stop: str = "end_turn") -> Document:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": list(blocks),
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }


def begun(**changes: Any) -> Document:
    return {"type": "message_start", "message": {**message(), "stop_reason": None, **changes}}


def block(kind: str, index: int = 0, **fields: Any) -> Document:
    return {
        "type": "content_block_start",
        "index": index,
        "content_block": {"type": kind, **fields},
    }


def delta(kind: str, index: int = 0, **fields: Any) -> Document:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


TEXT = block("text", text="")
CALL = block("tool_use", id="t", name="f", input={})
NOT_UNDERSTOOD: dict[str, list[Document]] = {
    "error": [begun(), {"type": "error", "error": {"type": "overloaded_error"}}],
    "unknown event": [begun(), {"type": "message_meanwhile"}],
    "no type": [{"message": message()}],
    "begun twice": [begun(), begun()],
    "begun with content": [begun(content=[{"type": "text", "text": "a"}])],
    "message as list": [{"type": "message_start", "message": []}],
    "unknown block": [begun(), block("server_tool_use", id="s", name="web_search", input={})],
    "what a tool found": [begun(), block("web_search_tool_result", content=[])],
    "block left out": [begun(), block("text", 1, text="")],
    "block twice": [begun(), TEXT, TEXT],
    "index as text": [begun(), TEXT, {**delta("text_delta", text="a"), "index": "0"}],
    "index as truth": [begun(), TEXT, {**delta("text_delta", text="a"), "index": False}],
    "delta of no block": [begun(), delta("text_delta", text="a")],
    "delta of another kind": [begun(), TEXT, delta("thinking_delta", thinking="a")],
    "unknown delta": [begun(), TEXT, delta("gesture_delta", gesture="a")],
    "text as number": [begun(), TEXT, delta("text_delta", text=1)],
    "half an input": [begun(), CALL, delta("input_json_delta", partial_json='{"a": ')],
    "input as list": [begun(), CALL, delta("input_json_delta", partial_json="[]")],
    "input twice": [
        begun(),
        block("tool_use", id="t", name="f", input={"a": 1}),
        delta("input_json_delta", partial_json='{"a": 1}'),
    ],
    "usage as number": [begun(usage=7)],
    "content at the end": [begun(), {"type": "message_delta", "delta": {"content": []}}],
    "too many blocks": [begun(), *(block("text", i, text="") for i in range(MAX_PARTS + 1))],
}


@pytest.mark.parametrize("case", NOT_UNDERSTOOD)
def test_what_is_not_understood_is_not_put_together(case: str) -> None:
    with pytest.raises(NotUnderstood):
        assembled(FORM, [sse(NOT_UNDERSTOOD[case])])


@pytest.mark.parametrize("data", [b"event: ping\n\n", b"data: {cut\n\n", b"data: {", b"<html>"])
def test_what_is_no_event_is_not_understood(data: bytes) -> None:
    with pytest.raises(NotUnderstood):
        assembled(FORM, [sse([begun(), TEXT]), data])


def test_usage_is_what_each_event_said_last() -> None:
    said: list[Document] = [
        begun(usage={"input_tokens": 0, "output_tokens": 1, "cache_read_input_tokens": None}),
        {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 5, "input_tokens": 3}},
        {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 7}},
    ]
    assert assembled(FORM, [sse(said)])["usage"] == {"input_tokens": 3, "output_tokens": 7}


def test_who_counts_nothing_is_counted_for() -> None:
    found = assembled(FORM, [sse([begun(usage=None), TEXT])])["usage"]
    assert (found["input_tokens"], found["output_tokens"]) == (9, 4)


def test_it_knows_how_much_it_holds() -> None:
    assert FORM.streams
    assembly = FORM.streams.assembly()
    assembly.add(sse([begun(), TEXT]))
    before = assembly.size_bytes
    assembly.add(sse([delta("text_delta", text="seven..")]))
    assert assembly.size_bytes == before + 7
