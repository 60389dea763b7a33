"""Answers as some of those give them who speak OpenAI's dialect in their own way."""

from typing import Any

import pytest

from penstock_sidecar.dialects.events import Event, TextPiece, ThoughtPiece
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
