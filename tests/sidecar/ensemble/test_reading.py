"""What an answer says, read chunk by chunk as it came."""

import json
from typing import Any

import pytest

from penstock_sidecar.ensemble.reading import MAX_BYTES, Reading
from penstock_sidecar.errors import UpstreamAnswerTooLong, UpstreamGarbled


def event(**delta: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return b"data: " + json.dumps({"id": "1", "model": "m", "choices": [choice]}).encode() + b"\n\n"


def read(*chunks: bytes, stream: bool = True) -> str:
    reading = Reading("openai-chat", "a/b", stream=stream)
    for chunk in chunks:
        reading.add(chunk)
    return reading.text()


def test_a_stream_says_its_pieces_and_not_its_thoughts() -> None:
    pieces = (event(reasoning_content="Well"), event(content="It "), event(content="is."))
    assert read(*pieces, b": ping\n\n", b"data: [DONE]\n\n") == "It is."


def test_pieces_may_come_together_or_in_halves() -> None:
    data = event(content="It ") + event(content="is.")
    assert read(data) == read(data[:50], data[50:]) == "It is."


def test_a_plain_answer_may_come_in_pieces_too() -> None:
    message = {"role": "assistant", "content": " 42 "}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    data = json.dumps({"choices": [choice]}).encode()
    assert read(data[:9], data[9:], stream=False) == "42"


@pytest.mark.parametrize(
    ("chunk", "stream"),
    [
        (b"data: {broken\n\n", True),
        (b"data: []\n\n", True),
        (b'data: {"error": {"message": "no"}}\n\n', True),
        (b"not json", False),
        (b"[]", False),
    ],
)
def test_what_nobody_can_read_is_no_answer(chunk: bytes, stream: bool) -> None:
    with pytest.raises(UpstreamGarbled, match="the answer of a/b cannot be read"):
        read(chunk, stream=stream)


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_too_long_to_be_held_is_no_answer(stream: bool) -> None:
    reading = Reading("openai-chat", "a/b", stream=stream)
    half = (event(content="x" * 1_000) if stream else b"x" * 1_000) * (MAX_BYTES // 2_000)
    reading.add(half)
    with pytest.raises(UpstreamAnswerTooLong, match="too long to be compared"):
        reading.add(half + half)
