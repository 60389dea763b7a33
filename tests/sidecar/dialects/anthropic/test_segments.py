"""However the network cuts Anthropic's bytes, the same chunks come out."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penstock_sidecar.dialects.anthropic import PASSAGE
from penstock_sidecar.dialects.anthropic.answer import AnthropicReader
from penstock_sidecar.dialects.anthropic.reply import AnthropicWriter
from penstock_sidecar.dialects.dialect import Identity
from penstock_sidecar.dialects.framing import SSE
from penstock_sidecar.dialects.openai_chat.reply import OpenAiWriter
from penstock_sidecar.model import Chunk
from penstock_sidecar.upstream.answering import AnswerStream, Passed, Written
from penstock_sidecar.upstream.incoming import Source
from tests.fakes.vendors.anthropic import Anthropic
from tests.sidecar.upstream.test_segments import PLACES, REFUSALS, Segments, cut, fuzzed, outcome

IDENTITY = Identity("call-1", 0, "fast", usage_wanted=True)


def passed(source: Source) -> AsyncIterator[Chunk]:
    sink = Passed(lambda _: False, PASSAGE.end)
    return AnswerStream(source, REFUSALS, SSE, AnthropicReader(1), sink)


def to_openai(source: Source) -> AsyncIterator[Chunk]:
    sink = Written(OpenAiWriter(IDENTITY))
    return AnswerStream(source, REFUSALS, SSE, AnthropicReader(1), sink)


def to_itself(source: Source) -> AsyncIterator[Chunk]:
    sink = Written(AnthropicWriter(IDENTITY))
    return AnswerStream(source, REFUSALS, SSE, AnthropicReader(1), sink)


def event(kind: str, **fields: Any) -> str:
    data = json.dumps({"type": kind, **fields}, ensure_ascii=False)
    return f"event: {kind}\ndata: {data}\n\n"


def delta(index: int, **fields: Any) -> str:
    return event("content_block_delta", index=index, delta=fields)


STOP = event("message_stop")
FRAMES = st.sampled_from(
    [
        event(
            "message_start", message={"id": "m", "usage": {"input_tokens": 3, "output_tokens": 1}}
        ),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("content_block_start", index=1, content_block={"type": "tool_use", "name": "f"}),
        event("ping"),
        delta(0, type="text_delta", text="Grüße 🚰"),
        delta(0, type="thinking_delta", thinking="\u2028"),
        delta(1, type="input_json_delta", partial_json="{"),
        event("content_block_stop", index=1),
        event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 9}),
        STOP,
        STOP.replace("\n", "\r\n"),
        ": comment\n\n",
        "event: message_stop\n\n",
        "data: {\n\n",
        Anthropic.IN_BAND_ERROR.decode(),
        Anthropic.MALFORMED.decode(),
    ]
)


@fuzzed
@given(st.lists(FRAMES, max_size=8), PLACES)
@example([STOP], [1])
def test_chunks_do_not_depend_on_segments(frames: list[str], places: list[int]) -> None:
    data = "".join(frames).encode()
    for stream in (passed, to_openai, to_itself):
        assert outcome(stream, list(cut(data, places))) == outcome(stream, [data])


@fuzzed
@given(st.lists(FRAMES, max_size=3))
def test_a_byte_at_a_time_is_enough(frames: list[str]) -> None:
    data = "".join(frames).encode()
    assert outcome(passed, [bytes([b]) for b in data]) == outcome(passed, [data])


@fuzzed
@given(st.binary(max_size=200))
def test_any_bytes_are_chunks_or_an_error(data: bytes) -> None:
    outcome(to_openai, [data])
    outcome(to_itself, [b"event: x\ndata: " + data + b"\n\n"])


NAMES = st.sampled_from(["type", "index", "delta", "content_block", "message", "usage", "error"])
DOCUMENTS = st.recursive(
    st.none() | st.text() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
)


@fuzzed
@given(DOCUMENTS)
def test_any_document_is_chunks_or_an_error(document: object) -> None:
    for kind in ("message_start", "content_block_start", "content_block_delta", "message_delta"):
        found = {**document, "type": kind} if isinstance(document, dict) else document
        outcome(to_itself, [b"data: " + json.dumps(found).encode() + b"\n\n"])


async def test_every_byte_of_a_stream_passes() -> None:
    frames = [
        event("message_start", message={}),
        event("ping"),
        delta(0, type="text_delta", text="x"),
    ]
    end = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 1})
    data = "".join([*frames, end, STOP]).encode()
    assert b"".join([chunk.data async for chunk in passed(Segments([data]))]) == data


async def test_an_end_that_is_left_out_is_said() -> None:
    end = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 1})
    chunks = [chunk async for chunk in passed(Segments([end.encode()]))]
    assert chunks[-1] == Chunk(PASSAGE.end, end=True)


@pytest.mark.parametrize("text", ["", " \n"])
async def test_white_space_is_no_content(text: str) -> None:
    frame = delta(0, type="text_delta", text=text).encode()
    assert not (await anext(passed(Segments([frame])))).content
