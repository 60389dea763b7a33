"""However the network cuts the bytes of completions and responses, the same chunks come out."""

import json
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.dialects.dialect import Identity
from penstock_sidecar.dialects.framing import LINES, SSE
from penstock_sidecar.dialects.ollama.answer import OllamaReader
from penstock_sidecar.dialects.openai_completions.answer import CompletionReader
from penstock_sidecar.dialects.openai_responses.answer import ResponsesReader
from penstock_sidecar.dialects.openai_responses.reply import ResponsesWriter
from penstock_sidecar.dialects.sse import DONE_EVENT
from penstock_sidecar.model import Chunk
from penstock_sidecar.upstream.answering import AnswerStream, Passed, Written
from penstock_sidecar.upstream.incoming import Source
from tests.sidecar.upstream.test_segments import REFUSALS, cut, fuzzed, outcome


def completions(source: Source) -> AsyncIterator[Chunk]:
    sink = Passed(lambda _: False, DONE_EVENT)
    return AnswerStream(source, REFUSALS, SSE, CompletionReader(1), sink)


def responses(source: Source) -> AsyncIterator[Chunk]:
    return AnswerStream(source, REFUSALS, SSE, ResponsesReader(1), Passed(lambda _: False, b""))


def written(source: Source) -> AsyncIterator[Chunk]:
    sink = Written(ResponsesWriter(Identity("call-1", 0, "fast")))
    return AnswerStream(source, REFUSALS, LINES, OllamaReader(1), sink)


def named(kind: str, **fields: object) -> str:
    data = json.dumps({"type": kind, **fields}, ensure_ascii=False)
    return f"event: {kind}\ndata: {data}\n\n"


ENDED = {"id": "r", "output": [], "usage": {"input_tokens": 1, "output_tokens": 2}}
COMPLETIONS = st.sampled_from(
    [
        'data: {"choices":[{"index":0,"text":"Grüße 🚰","finish_reason":null}]}\n\n',
        'data:{"choices":[{"index":0,"text":"x"}]}\r\n\r\n',
        'data: {"choices":[{"index":0,"text":"","finish_reason":"stop"}]}\n\n',
        'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n',
        ": ping\n\n",
        "data: {\n\n",
        "data: [DONE]\n\n",
    ]
)
RESPONSES = st.sampled_from(
    [
        named("response.created", response={"id": "r", "model": "m"}),
        named("response.output_text.delta", delta="Grüße 🚰"),
        named("response.output_item.added", output_index=0, item={"type": "function_call"}),
        named("response.function_call_arguments.delta", output_index=0, delta="{}"),
        named("response.completed", response=ENDED),
        named("response.failed", response={"error": {"code": "server_error", "message": "no"}}),
        named("error", code="rate_limit_exceeded", message="Slowly."),
        'event: response.output_text.delta\ndata: {"type":\ndata: "x"}\n\n',
        ": ping\n\n",
        "data: {\n\n",
    ]
)
OLLAMA = st.sampled_from(
    [
        '{"model":"m","message":{"role":"assistant","content":"Grüße 🚰"},"done":false}\n',
        '{"model":"m","message":{"content":"","thinking":"hm"},"done":false}\r\n',
        '{"message":{"content":""},"done":true,"done_reason":"stop","eval_count":2}\n',
        "{\n",
    ]
)


@pytest.mark.parametrize(
    ("stream", "events"),
    [(completions, COMPLETIONS), (responses, RESPONSES), (written, OLLAMA)],
)
@fuzzed
@given(st.data())
def test_any_cut_of_a_stream_gives_the_same(
    stream: Callable[[Source], AsyncIterator[Chunk]],
    events: st.SearchStrategy[str],
    data: st.DataObject,
) -> None:
    whole = "".join(data.draw(st.lists(events, max_size=6))).encode()
    places = data.draw(st.lists(st.integers(0, 2000), max_size=12))
    assert outcome(stream, list(cut(whole, places))) == outcome(stream, [whole])
