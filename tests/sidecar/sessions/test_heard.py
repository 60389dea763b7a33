"""What is heard of answers: whole ones, and nothing else."""

import json
from typing import Any

import pytest

from penstock_sidecar.sessions.heard import Heard
from tests.sidecar.sessions.builders import completion


def heard(*pieces: bytes, api: Any = "openai-chat", stream: bool = True) -> str | None:
    found = Heard(api, stream=stream, max_characters=100)
    for piece in pieces:
        found.add(piece)
    return found.said


def event(document: Any, name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(document)}\n\n".encode()


def chunk(finish: str | None = None, **delta: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return event({"object": "chat.completion.chunk", "choices": [choice]})


DONE = b"data: [DONE]\n\n"
HI, YES = chunk(content="Good "), chunk(content="day.")
CALL = [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}]
MESSAGE: dict[str, Any] = {
    "type": "message",
    "content": [{"type": "text", "text": "Good day."}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
BLOCK = event(
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
)
DELTA = event(
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "Good day."},
    }
)
ENDING = event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}})
STOPPED = event({"type": "message_stop"})
LINE = {"model": "m", "message": {"role": "assistant", "content": "Good day."}, "done": False}
OVER = {"model": "m", "message": {"content": ""}, "done": True, "done_reason": "stop"}


def line(document: Any) -> bytes:
    return json.dumps(document).encode() + b"\n"


@pytest.mark.parametrize(
    ("api", "pieces"),
    [
        ("openai-chat", [HI, YES, chunk("stop"), DONE]),
        ("openai-chat", [b": ping\n\n", HI + YES, chunk("length") + DONE]),
        ("anthropic-messages", [BLOCK, DELTA, ENDING, STOPPED]),
        ("ollama-chat", [line(LINE), line(OVER)]),
    ],
)
def test_a_stream_is_heard_when_it_is_over(api: str, pieces: list[bytes]) -> None:
    assert heard(*pieces, api=api) == "Good day."
    for cut in range(len(pieces)):
        assert heard(*pieces[:cut], api=api) is None


@pytest.mark.parametrize(
    ("api", "body"),
    [
        ("openai-chat", completion("Good day.")),
        ("anthropic-messages", json.dumps(MESSAGE).encode()),
        ("ollama-chat", json.dumps({**LINE, "done": True, "done_reason": "stop"}).encode()),
    ],
)
def test_a_plain_answer_is_heard(api: str, body: bytes) -> None:
    assert heard(body, api=api, stream=False) == "Good day."


@pytest.mark.parametrize(
    "body",
    [
        completion("Good day.", "content_filter"),
        completion("", "tool_calls", tool_calls=CALL),
        completion("Let me see.", "stop", tool_calls=CALL),
        completion("", refusal="No."),
        completion("  "),
        completion("x" * 101),
        b'{"error": {"message": "No."}}',
        b"no JSON",
        b"[]",
    ],
)
def test_what_is_no_whole_answer_in_words_is_not_heard(body: bytes) -> None:
    assert heard(body, stream=False) is None


@pytest.mark.parametrize(
    "pieces",
    [
        [HI, DONE],
        [HI, event({"error": {"message": "Broken."}}), chunk("stop"), DONE],
        [HI, chunk("tool_calls", tool_calls=CALL), DONE],
        [chunk(content="x" * 101), chunk("stop"), DONE],
        [b"data: {\n\n", HI, chunk("stop"), DONE],
    ],
)
def test_half_a_stream_is_not_heard(pieces: list[bytes]) -> None:
    assert heard(*pieces) is None


def test_thoughts_are_not_said() -> None:
    assert heard(chunk(reasoning_content="Hm."), HI, YES, chunk("stop"), DONE) == "Good day."
