"""Signatures of Gemini's calls go round through Anthropic's callers: in a thought before each."""

from typing import Any

import orjson
import pytest

from penstock_sidecar.dialects.anthropic.answer import AnthropicReader
from penstock_sidecar.dialects.anthropic.read import read_messages
from penstock_sidecar.dialects.anthropic.reply import AnthropicWriter, write_message
from penstock_sidecar.dialects.dialect import Ask, Identity
from penstock_sidecar.dialects.events import Event
from penstock_sidecar.dialects.framing import SSE
from penstock_sidecar.dialects.gemini.answer import GeminiReader
from penstock_sidecar.dialects.gemini.write import write_chat
from penstock_sidecar.dialects.splitter import Splitter

IDENTITY = Identity("call-1", 0, "fast")
THOUGHT = {"text": "Hm.", "thought": True}
TEXT = {"text": "I look."}
SIGNED = {
    "functionCall": {"id": "c1", "name": "f", "args": {"a": 1}},
    "thoughtSignature": "c2ln",
}
UNSIGNED = {"functionCall": {"id": "c2", "name": "g", "args": {}}}


def said(parts: list[dict[str, Any]]) -> list[Event]:
    content = {"content": {"parts": parts, "role": "model"}, "finishReason": "STOP"}
    reader = GeminiReader(1)
    return [*reader.read({"candidates": [content]}), *reader.over()]


def told_plain(events: list[Event]) -> Any:
    return write_message(events, IDENTITY)["content"]


def told_in_a_stream(events: list[Event]) -> Any:
    """As a client of Anthropic's puts it together."""
    writer, reader, splitter = AnthropicWriter(IDENTITY), AnthropicReader(1), Splitter(SSE.end)
    splitter.feed(b"".join(writer.write(event) for event in events))
    heard: list[Event] = []
    while frame := splitter.next():
        heard += reader.read(orjson.loads(SSE.payload(frame) or b"{}"))
    return told_plain(heard)


@pytest.mark.parametrize("told", [told_plain, told_in_a_stream])
@pytest.mark.parametrize(
    ("parts", "kept"),
    [
        ([TEXT, SIGNED, UNSIGNED], [TEXT, SIGNED, UNSIGNED]),
        ([THOUGHT, SIGNED, UNSIGNED], [SIGNED, UNSIGNED]),
        ([SIGNED, SIGNED], [SIGNED, SIGNED]),
        ([TEXT | {"thoughtSignature": "c2ln"}], [TEXT | {"thoughtSignature": "c2ln"}]),
    ],
)
def test_what_is_sent_back_is_what_gemini_said(told: Any, parts: list[Any], kept: object) -> None:
    """Its thoughts, which are summaries, left out."""
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": told(said(parts))},
    ]
    prompt = read_messages({"model": "m", "max_tokens": 9, "messages": messages})
    body: Any = write_chat(prompt, Ask("gemini-3.7-flash", False, None))
    assert body["contents"][1] == {"role": "model", "parts": kept}
