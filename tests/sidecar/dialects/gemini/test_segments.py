"""However the network cuts Gemini's bytes, the same chunks come out."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penstock_sidecar.dialects.dialect import Identity
from penstock_sidecar.dialects.gemini.answer import GeminiReader
from penstock_sidecar.dialects.gemini.frames import EVENTS
from penstock_sidecar.dialects.openai_chat.reply import OpenAiWriter
from penstock_sidecar.errors import UpstreamLimited
from penstock_sidecar.model import Chunk
from penstock_sidecar.upstream.answering import AnswerStream, Written
from penstock_sidecar.upstream.incoming import Source
from tests.fakes.vendors.gemini import Gemini, limited
from tests.sidecar.upstream.test_segments import PLACES, REFUSALS, Segments, cut, fuzzed, outcome


def gemini(source: Source) -> AsyncIterator[Chunk]:
    sink = Written(OpenAiWriter(Identity("call-1", 0, "fast", usage_wanted=True)))
    return AnswerStream(source, REFUSALS, EVENTS, GeminiReader(1), sink)


def event(*parts: dict[str, Any], **more: Any) -> str:
    candidate = {"content": {"parts": list(parts), "role": "model"}, "index": 0, **more}
    document = {"candidates": [candidate], "usageMetadata": {"promptTokenCount": 3}}
    return f"data: {json.dumps(document, ensure_ascii=False)}\r\n\r\n"


FINISH = event({"text": "", "thoughtSignature": "YQ=="}, finishReason="STOP")
FRAMES = st.sampled_from(
    [
        event({"text": "Grüße 🚰"}),
        event({"text": "hm", "thought": True}),
        event({"functionCall": {"name": "f", "args": {"ü": "\u2028"}}}),
        FINISH,
        FINISH.replace("\r\n", "\n"),
        event(finishReason="MALFORMED_FUNCTION_CALL"),
        'data: {"promptFeedback": {"blockReason": "SAFETY"}}\r\n\r\n',
        ": ping\r\n\r\n",
        "data: {\r\n\r\n",
        Gemini().IN_BAND_ERROR.decode(),
        f"[{Gemini().IN_BAND_ERROR.decode()}]\r\n",
    ]
)


@fuzzed
@given(st.lists(FRAMES, max_size=8), PLACES)
@example([FINISH], [1])
def test_chunks_do_not_depend_on_segments(frames: list[str], places: list[int]) -> None:
    data = "".join(frames).encode()
    assert outcome(gemini, list(cut(data, places))) == outcome(gemini, [data])


@fuzzed
@given(st.lists(FRAMES, max_size=3))
def test_a_byte_at_a_time_is_enough(frames: list[str]) -> None:
    data = "".join(frames).encode()
    assert outcome(gemini, [bytes([b]) for b in data]) == outcome(gemini, [data])


@fuzzed
@given(st.binary(max_size=200))
def test_any_bytes_are_chunks_or_an_error(data: bytes) -> None:
    outcome(gemini, [data])
    outcome(gemini, [b"data: " + data + b"\r\n\r\n"])
    outcome(gemini, [b"[{" + data])


BARE = limited("7.5s").body or b""
AS_EVENT = json.dumps(json.loads(BARE)).encode()


@pytest.mark.parametrize(
    "error", [BARE, b"[" + BARE + b"]\n", AS_EVENT, b"data: " + AS_EVENT + b"\r\n\r\n"]
)
async def test_an_error_half_way_is_told_with_its_wait(error: bytes) -> None:
    """Bare, in a list or as an event; indented or not."""
    stream = gemini(Segments([event({"text": "All"}).encode() + error]))
    assert (await anext(stream)).content
    with pytest.raises(UpstreamLimited) as caught:
        await anext(stream)
    assert caught.value.retry_after_seconds == 7.5
