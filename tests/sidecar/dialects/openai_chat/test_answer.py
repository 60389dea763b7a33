"""Answers as some of those give them who speak OpenAI's dialect in their own way."""

from typing import Any

import pytest

from penstock_sidecar.dialects.events import CallPiece, Event, TextPiece, ThoughtPiece
from penstock_sidecar.dialects.openai_chat.answer import OpenAiReader, read_completion
from penstock_sidecar.model import JsonObject

TOKEN = {"token": "51", "logprob": -0.1}
LET_ME = {"type": "thinking", "thinking": [{"type": "text", "text": "Let me..."}]}


def of_stream(*deltas: dict[str, Any], **fields: object) -> list[Event]:
    reader = OpenAiReader(1)
    chunks: list[JsonObject] = [
        {"choices": [{"index": 0, "delta": delta, **fields}]} for delta in deltas
    ]
    return [event for chunk in chunks for event in reader.read(chunk)][1:]


def of_whole(message: dict[str, Any], **fields: object) -> list[Event]:
    document = {"choices": [{"index": 0, "message": message, **fields}]}
    return list(read_completion(document))[1:-1]


@pytest.mark.parametrize("role", [{}, {"role": "assistant"}, {"tool_calls": None}])
def test_thoughts_among_parts_are_no_text(role: dict[str, Any]) -> None:
    """Mistral's."""
    said = {"content": [LET_ME, {"type": "text", "text": "51"}, {"type": "text", "text": "."}]}
    logprobs = {"content": [TOKEN]}
    events = [ThoughtPiece("Let me..."), TextPiece("51", 0, (TOKEN,)), TextPiece(".")]
    assert of_whole(role | said, logprobs=logprobs) == events
    assert of_stream(role | said, logprobs=logprobs) == events


@pytest.mark.parametrize("content", [None, "", [], [LET_ME | {"thinking": []}], [{"type": "x"}]])
def test_content_without_text_says_nothing(content: object) -> None:
    assert of_stream({"role": "assistant", "content": content}) == []


def call(id_: str, name: str, arguments: str, **index: int) -> dict[str, Any]:
    return {**index, "id": id_, "function": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize("index", [{}, {"index": 0}, {"index": 1}])
def test_calls_of_one_index_are_told_apart_by_name_and_id(index: dict[str, int]) -> None:
    """Ollama's `/v1` gives all of them 0."""
    calls = [
        call("a", "f", '{"x":', **index),
        call("", "", "1}", **index),
        call("b", "g", '{"y":', **index),
        call("", "", "2}", **index),
    ]
    assert of_stream(*({"tool_calls": [each]} for each in calls)) == [
        CallPiece(0, "a", "f", '{"x":'),
        CallPiece(0, "", "", "1}"),
        CallPiece(1, "b", "g", '{"y":'),
        CallPiece(1, "", "", "2}"),
    ]


def test_calls_of_one_index_in_a_whole_answer_are_told_apart() -> None:
    calls = [call("a", "f", "{}", index=0), call("b", "g", "{}", index=0)]
    assert of_whole({"tool_calls": calls}) == [
        CallPiece(0, "a", "f", "{}"),
        CallPiece(1, "b", "g", "{}"),
    ]


@pytest.mark.parametrize("later", [("a", "f"), ("a", ""), ("b", ""), ("", "f")])
def test_an_id_or_a_name_alone_begins_no_call(later: tuple[str, str]) -> None:
    calls = [call("a", "f", "{", index=0), call(*later, "}", index=0)]
    events = of_stream(*({"tool_calls": [each]} for each in calls))
    assert events == [CallPiece(0, "a", "f", "{"), CallPiece(0, *later, "}")]


def test_calls_of_an_index_each_go_on_side_by_side() -> None:
    calls = [call(id_, "", "", index=index) for id_, index in [("a", 0), ("b", 1), ("a", 0)]]
    events = of_stream(*({"tool_calls": [each]} for each in calls))
    assert events == [CallPiece(0, "a"), CallPiece(1, "b"), CallPiece(0, "a")]
