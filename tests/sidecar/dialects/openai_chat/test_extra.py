"""Signatures of thoughts among OpenAI's messages: where Google puts them, and who gets them."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_sidecar.dialects.dialect import Ask, Identity
from penstock_sidecar.dialects.events import (
    CallPiece,
    Ended,
    Event,
    Started,
    TextPiece,
    ThoughtPiece,
)
from penstock_sidecar.dialects.openai_chat.passage import changed_body
from penstock_sidecar.dialects.openai_chat.read import read_chat
from penstock_sidecar.dialects.openai_chat.reply import OpenAiWriter, write_completion
from penstock_sidecar.dialects.prompt import Thought, ToolCall
from penstock_sidecar.dialects.quirks import FIREWORKS, MISTRAL, OPENAI, PLAIN, Quirks
from penstock_sidecar.dialects.signatures import of_google
from penstock_sidecar.normalise.openai import parse_chat

steady = settings(deadline=None, derandomize=True)

IDENTITY = Identity("call-1", 0, "fast")
EXTRA = {"extra_content": {"google": {"thought_signature": "c2ln"}}}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
PLAIN_ANSWER = {"role": "assistant", "content": "Yes.", "tool_calls": [CALL]}
ANSWER: dict[str, Any] = {
    **PLAIN_ANSWER,
    "reasoning_content": "Hm.",
    **EXTRA,
    "tool_calls": [CALL | EXTRA],
}


def test_both_signatures_are_read() -> None:
    [turn] = read_chat({"messages": [ANSWER]}).turns
    assert [p.signature for p in turn.parts if isinstance(p, Thought | ToolCall)] == [
        None,
        "google:c2ln",
        "google:c2ln",
    ]


@pytest.mark.parametrize("odd", [None, "x", {}, {"google": 1}, {"google": {}}, {"vertex": {}}])
def test_other_extras_are_no_signatures(odd: object) -> None:
    call = {**CALL, "extra_content": odd}
    [turn] = read_chat(
        {"messages": [{"role": "assistant", "tool_calls": [call], "extra_content": odd}]}
    ).turns
    [only] = turn.parts
    assert isinstance(only, ToolCall)
    assert only.signature is None


def test_another_s_signature_is_not_said() -> None:
    """Anthropic's would be an error at Google."""
    events: list[Event] = [ThoughtPiece("Hm.", "EqQB"), CallPiece(0, "c", "f", "{}", "EqQB")]
    written = orjson.dumps(write_completion(events, IDENTITY))
    writer = OpenAiWriter(IDENTITY)
    streamed = b"".join(writer.write(event) for event in [Started(), *events, Ended()])
    assert b"extra_content" not in written + streamed


@steady
@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_signatures_go_round(text: str, of_text: str, of_call: str) -> None:
    """Written to the caller, sent back by him, read again."""
    events: list[Event] = [
        TextPiece(text),
        ThoughtPiece(signature=of_google(of_text)),
        CallPiece(0, "c", "f", "{}", of_google(of_call)),
    ]
    answer: Any = write_completion(events, IDENTITY)
    [turn] = read_chat({"messages": [answer["choices"][0]["message"]]}).turns
    assert [p.signature for p in turn.parts if isinstance(p, Thought | ToolCall)] == [
        of_google(of_text),
        of_google(of_call),
    ]


def passed(quirks: Quirks, answer: dict[str, Any]) -> Any:
    body = orjson.dumps({"model": "m", "messages": [answer, {"role": "user", "content": "So"}]})
    found = changed_body(parse_chat(body, {}, "call-1"), Ask("m", False, None, quirks=quirks))
    return body if found == body else orjson.loads(found)["messages"][0]


@pytest.mark.parametrize("quirks", [OPENAI, MISTRAL])
def test_closed_copies_of_openai_get_no_echoes(quirks: Quirks) -> None:
    """They answer them with an error, and conversations come from other providers."""
    assert passed(quirks, ANSWER) == PLAIN_ANSWER


def test_who_takes_thoughts_but_no_signatures_gets_thoughts() -> None:
    assert passed(FIREWORKS, ANSWER) == {**PLAIN_ANSWER, "reasoning_content": "Hm."}


@pytest.mark.parametrize(
    ("quirks", "answer"),
    [(PLAIN, ANSWER), (OPENAI, PLAIN_ANSWER), (OPENAI, {"role": "user", "content": "Hi"})],
)
def test_bytes_pass_where_nothing_differs(quirks: Quirks, answer: dict[str, Any]) -> None:
    assert isinstance(passed(quirks, answer), bytes)
