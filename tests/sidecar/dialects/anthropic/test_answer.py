"""What Anthropic's answers say: recorded streams, whole messages."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from penstock_sidecar.dialects.anthropic.answer import AnthropicReader, read_message
from penstock_sidecar.dialects.anthropic.counting import read_count
from penstock_sidecar.dialects.dialect import Garbled, SaidError
from penstock_sidecar.dialects.events import (
    CallPiece,
    Counted,
    Ended,
    Event,
    Finished,
    OtherPiece,
    RefusalPiece,
    Started,
    TextPiece,
    ThoughtPiece,
)
from penstock_sidecar.model import Usage

RECORDED = """\
{"type":"message_start","message":{"model":"claude-sonnet-4-5-20250929","id":"msg_01Q","type":\
"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"usage":\
{"input_tokens":12,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"cache_creation":\
{"ephemeral_5m_input_tokens":1,"ephemeral_1h_input_tokens":2},"output_tokens":1,"service_tier":\
"standard","inference_geo":"not_available"}}}
{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"",\
"signature":""}}
{"type":"ping"}
{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me"}}
{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQB"}}
{"type":"content_block_stop","index":0}
{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"Emw"}}
{"type":"content_block_stop","index":1}
{"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}
{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"I look"}}
{"type":"content_block_delta","index":2,"delta":{"type":"citations_delta","citation":{}}}
{"type":"content_block_stop","index":2}
{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_1","name":\
"weather","input":{}}}
{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":""}}
{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\\"a"}}
{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"\\":1}"}}
{"type":"content_block_stop","index":3}
{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_2","name":\
"now","input":{},"caller":{"type":"direct"}}}
{"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":""}}
{"type":"content_block_stop","index":4}
{"type":"of_tomorrow"}
{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":\
{"output_tokens":30,"output_tokens_details":{"thinking_tokens":9}}}
{"type":"message_stop"}
"""
STARTED = Started("msg_01Q", "claude-sonnet-4-5-20250929")
BEFORE = Usage(20, 1, cached_input_tokens=5, cache_write_tokens=3, cache_write_1h_tokens=2)
AFTER = Usage(
    20,
    30,
    cached_input_tokens=5,
    cache_write_tokens=3,
    cache_write_1h_tokens=2,
    reasoning_tokens=9,
)


def read(*documents: dict[str, Any]) -> list[Event]:
    reader = AnthropicReader(1)
    return [event for document in documents for event in reader.read(document)]


def recorded() -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in RECORDED.splitlines())


def test_a_recorded_stream() -> None:
    assert read(*recorded()) == [
        STARTED,
        Counted(BEFORE),
        ThoughtPiece("Let me"),
        ThoughtPiece(signature="EqQB"),
        ThoughtPiece(redacted="Emw"),
        TextPiece("I look"),
        CallPiece(0, "toolu_1", "weather"),
        CallPiece(0, arguments='{"a'),
        CallPiece(0, arguments='":1}'),
        CallPiece(1, "toolu_2", "now"),
        CallPiece(1, arguments="{}"),
        Finished("tool_calls"),
        Counted(AFTER),
        Ended(),
    ]


def test_the_same_message_whole() -> None:
    message = {
        "id": "msg_01Q",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": [
            {"type": "thinking", "thinking": "Let me", "signature": "EqQB"},
            {"type": "redacted_thinking", "data": "Emw"},
            {"type": "text", "text": "I look", "citations": None},
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"a": 1}},
            {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 4},
    }
    assert list(read_message(message)) == [
        STARTED,
        ThoughtPiece("Let me", "EqQB"),
        ThoughtPiece(redacted="Emw"),
        TextPiece("I look"),
        CallPiece(0, "toolu_1", "weather", '{"a":1}'),
        CallPiece(1, "toolu_2", "now"),
        CallPiece(1, arguments="{}"),
        OtherPiece(),
        Finished("tool_calls"),
        Counted(Usage(3, 4)),
        Ended(),
    ]


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("max_tokens", "length"),
        ("stop_sequence", "stop"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("pause_turn", "length"),
        ("model_context_window_exceeded", "length"),
        ("of_tomorrow", "stop"),
    ],
)
def test_why_it_stopped(reason: str, finish: Any) -> None:
    delta = {"stop_reason": reason, "stop_sequence": "END"}
    wanted = Finished(finish, stop_sequence="END")
    assert read({"type": "message_delta", "delta": delta}) == [wanted]
    assert wanted in read_message({"content": [], **delta})


def test_a_refusal_says_why() -> None:
    why = {"type": "refusal", "category": "cyber", "explanation": "No exploits."}
    delta = {"stop_reason": "refusal", "stop_sequence": None, "stop_details": why}
    said = [RefusalPiece("No exploits."), Finished("content_filter")]
    assert read({"type": "message_delta", "delta": delta}) == said


def test_arguments_of_a_tool_that_runs_there_are_nobody_s_call() -> None:
    block = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    delta = {"type": "input_json_delta", "partial_json": "{}"}
    assert read(
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
    ) == [OtherPiece()]


def test_an_error_in_a_stream_is_said() -> None:
    error = {"type": "overloaded_error", "message": "Overloaded"}
    with pytest.raises(SaidError) as caught:
        read({"type": "error", "error": error})
    assert caught.value.value == error
    with pytest.raises(SaidError):
        list(read_message({"type": "error", "error": error}))


@pytest.mark.parametrize("documents", [0, 5, 12, -2])
def test_an_end_before_its_reason_is_half_an_answer(documents: int) -> None:
    reader = AnthropicReader(1)
    for document in list(recorded())[:documents]:
        list(reader.read(document))
    with pytest.raises(Garbled):
        list(reader.over())


def test_an_end_after_its_reason_is_an_end() -> None:
    reader = AnthropicReader(1)
    for document in list(recorded())[:-1]:
        list(reader.read(document))
    assert list(reader.over()) == [Ended()]


@pytest.mark.parametrize("document", [{}, {"content": "Hi"}, {"completion": "Hi"}])
def test_what_is_no_message_is_garbled(document: dict[str, Any]) -> None:
    with pytest.raises(Garbled):
        list(read_message(document))


def test_a_count_is_an_answer() -> None:
    assert list(read_count({"input_tokens": 7})) == [OtherPiece(), Ended()]
    with pytest.raises(Garbled):
        list(read_count({"input_tokens": "7"}))
    with pytest.raises(SaidError):
        list(read_count({"type": "error", "error": {}}))
