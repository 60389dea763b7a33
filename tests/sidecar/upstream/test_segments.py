"""However the network cuts a provider's bytes, the same chunks come out."""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from penstock_sidecar.dialects.dialect import Identity
from penstock_sidecar.dialects.framing import LINES, SSE
from penstock_sidecar.dialects.ollama.answer import OllamaReader
from penstock_sidecar.dialects.openai_chat.answer import OpenAiReader
from penstock_sidecar.dialects.openai_chat.reply import OpenAiWriter
from penstock_sidecar.dialects.openai_chat.usual import usual_text
from penstock_sidecar.dialects.splitter import SSE_END, EventTooLarge, Splitter
from penstock_sidecar.dialects.sse import DONE_EVENT
from penstock_sidecar.errors import StreamBroken, UpstreamError
from penstock_sidecar.model import Chunk
from penstock_sidecar.upstream.answering import AnswerStream, Passed, Written
from penstock_sidecar.upstream.incoming import Source
from penstock_sidecar.upstream.redaction import Redactor
from penstock_sidecar.upstream.refusal import Refusals

fuzzed = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
REFUSALS = Refusals(Redactor(()))


class Segments:
    """A `Source` of bytes that are here already."""

    def __init__(self, segments: Sequence[bytes]) -> None:
        self._segments = iter(segments)

    @property
    def label(self) -> str:
        return "acme"

    async def read(self) -> bytes:
        return next(self._segments, b"")

    async def read_all(self) -> bytes:
        return b"".join(self._segments)

    def content_came(self) -> None: ...

    async def drain(self) -> None: ...


def openai(source: Source) -> AsyncIterator[Chunk]:
    sink = Passed(lambda document: not document.get("choices"), DONE_EVENT, usual_text)
    return AnswerStream(source, REFUSALS, SSE, OpenAiReader(1), sink)


def ollama(source: Source) -> AsyncIterator[Chunk]:
    sink = Written(OpenAiWriter(Identity("call-1", 0, "fast", usage_wanted=True)))
    return AnswerStream(source, REFUSALS, LINES, OllamaReader(1), sink)


def outcome(
    stream: Callable[[Source], AsyncIterator[Chunk]], segments: Sequence[bytes]
) -> list[Chunk | str]:
    """Every chunk, then the error, if any."""

    found: list[Chunk | str] = []
    chunks = stream(Segments([s for s in segments if s]))
    try:
        while chunk := at_once(chunks):
            found.append(chunk)
    except UpstreamError as error:
        found.append(f"{type(error).__name__}: {error.public}")
    return found


def at_once(chunks: AsyncIterator[Chunk]) -> Chunk | None:
    """The next one, without a loop: nothing here ever waits."""
    try:
        chunks.__anext__().__await__().__next__()
    except StopIteration as returned:
        value = returned.value
        assert isinstance(value, Chunk)
        return value
    except StopAsyncIteration:
        return None
    pytest.fail("waits for something")


def cut(data: bytes, places: Sequence[int]) -> Iterator[bytes]:
    start = 0
    for place in sorted(p % (len(data) + 1) for p in places):
        yield data[start:place]
        start = place
    yield data[start:]


def event(**fields: object) -> str:
    return json.dumps({"choices": [{"index": 0, **fields}]}, ensure_ascii=False)


OPENAI_EVENTS = st.sampled_from(
    [
        f"data: {event(delta={'role': 'assistant', 'content': ''})}\n\n",
        f"data: {event(delta={'content': 'Grüße 🚰'})}\n\n",
        f"data:{event(delta={'content': 'x'})}\r\n\r\n",
        f"data: {event(delta={'tool_calls': [{'index': 0, 'function': {'arguments': '{'}}]})}\n\n",
        'event: message\ndata: {"choices":\ndata: []}\n\n',
        ": ping\n\n",
        ":\r\n\r\n",
        "\n",
        'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n',
        f"data: {event(delta={}, finish_reason='stop')}\n\n",
        'data: {"error":{"message":"no","code":503}}\n\n',
        "data: {\n\n",
        "data: [DONE]\n\n",
        "data: [DONE]",
    ]
)
OLLAMA_LINES = st.sampled_from(
    [
        '{"model":"m","message":{"role":"assistant","content":"Grüße 🚰"},"done":false}\n',
        '{"model":"m","message":{"content":"","thinking":"hm"},"done":false}\r\n',
        '{"message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]}}\n',
        "\n",
        '{"model":"m","message":{"content":""},"done":true,"eval_count":2}\n',
        '{"error":"no"}\n',
        "{\n",
    ]
)
PLACES = st.lists(st.integers(min_value=0, max_value=10_000), max_size=20)


@fuzzed
@given(st.lists(OPENAI_EVENTS, max_size=8), PLACES)
@example(["data: [DONE]\n\n"], [7])
def test_openai_s_events_do_not_depend_on_segments(events: list[str], places: list[int]) -> None:
    data = "".join(events).encode()
    assert outcome(openai, list(cut(data, places))) == outcome(openai, [data])


@fuzzed
@given(st.lists(OLLAMA_LINES, max_size=8), PLACES)
def test_ollama_s_lines_do_not_depend_on_segments(lines: list[str], places: list[int]) -> None:
    data = "".join(lines).encode()
    assert outcome(ollama, list(cut(data, places))) == outcome(ollama, [data])


@fuzzed
@given(st.lists(OPENAI_EVENTS, max_size=4))
def test_a_byte_at_a_time_is_enough(events: list[str]) -> None:
    data = "".join(events).encode()
    assert outcome(openai, [bytes([b]) for b in data]) == outcome(openai, [data])


@fuzzed
@given(st.binary(max_size=200))
def test_any_bytes_are_chunks_or_an_error(data: bytes) -> None:
    outcome(openai, [data])
    outcome(openai, [b"data: " + data + b"\n\n"])
    outcome(ollama, [data])


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_the_bound_of_an_event_does_not_depend_on_segments(size: int) -> None:
    data = b"data: 1\n\n" + b"data: " + b"2" * 20 + b"\n\n"
    splitter = Splitter(SSE_END, max_bytes=20)
    events: list[bytes] = []

    def feed() -> None:
        for start in range(0, len(data), size):
            splitter.feed(data[start : start + size])
            while found := splitter.next():
                events.append(found)

    with pytest.raises(EventTooLarge):
        feed()
    assert events == [b"data: 1\n\n"]


def test_a_surrogate_pair_cut_in_two_passes() -> None:
    r"""Some servers send `\ud83d` and `\ude00` in events of their own."""
    data = b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}\n\ndata: [DONE]\n\n'
    [first, _] = outcome(openai, [data])
    assert isinstance(first, Chunk)
    assert first.text_bytes == 3


def test_bytes_after_the_end_are_nobody_s() -> None:
    chunks = outcome(openai, [b"data: [DONE]\n\ndata: {\n\n"])
    assert chunks == [Chunk(b"data: [DONE]\n\n", end=True)]


def test_an_end_half_way_is_said() -> None:
    assert outcome(openai, [b": ping\n\n"])[-1] == f"{StreamBroken.__name__}: " + (
        "acme ended its answer half-way"
    )
