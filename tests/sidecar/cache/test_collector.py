"""Whatever a provider sends, collecting it harms nobody."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_sidecar.cache.collector import Collector
from penstock_sidecar.cache.forms.openai_chat import FORM as CHAT
from penstock_sidecar.model import Chunk
from tests.sidecar.cache.builders import (
    DONE,
    USAGE,
    AbsentStore,
    cache,
    candidate,
    chunk,
    completion,
    plain,
    question,
    request,
    said,
    streamed,
)

steady = settings(deadline=None, derandomize=True)

NAMES = ("choices", "index", "delta", "message", "content", "tool_calls", "function", "usage", "id")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=20,
)
odd_data = json_values.map(orjson.dumps) | st.binary(max_size=20)


def collector(*, stream: bool, max_bytes: int = 10_000) -> Collector:
    return Collector(question(cache(AbsentStore()), request(stream=stream)), candidate(), max_bytes)


def collected(chunks: list[Chunk], *, stream: bool, max_bytes: int = 10_000) -> bytes | None:
    one = collector(stream=stream, max_bytes=max_bytes)
    for piece in chunks:
        one.add(piece)
    found = one.collected()
    return found.body if found else None


@steady
@given(st.lists(odd_data, max_size=4), st.booleans())
def test_nothing_a_provider_sends_raises_and_what_is_kept_can_be_replayed(
    datas: list[bytes], stream: bool
) -> None:
    datas = [b"data: " + data + b"\n\n" for data in datas] if stream else datas
    body = collected([*(Chunk(d, usage=USAGE) for d in datas), DONE], stream=stream)
    if body:
        _replayed(body)


@pytest.mark.parametrize("levels", [100, 300, 1_000])
def test_an_answer_that_nests_too_deep_to_be_written_again_is_not_kept(levels: int) -> None:
    body = orjson.dumps(completion({"content": "a"}))
    deep = body[:-1] + b',"x":' + b"[" * levels + b"]" * levels + b"}"
    kept = collected([Chunk(deep, usage=USAGE, end=True)], stream=False)
    assert (kept is None) is (levels > 254)
    if kept:
        assert _replayed(kept, usage_wanted=False)


def test_nor_is_a_stream_that_does() -> None:
    nested = b'{"x":' + b"[" * 1_000 + b"1" + b"]" * 1_000 + b"}"
    chunks = [Chunk(b"data: " + nested + b"\n\n")] * 2
    assert collected([*chunks, *said("a")], stream=True) is None


def test_a_stream_is_measured_by_what_is_kept_of_it() -> None:
    text = "x" * 99
    assert collected(said(*[text] * 10), stream=True, max_bytes=1_000)
    assert collected(said(*[text] * 11), stream=True, max_bytes=1_000) is None


def test_it_is_given_up_at_once_and_for_good() -> None:
    one = collector(stream=True)
    one.add(Chunk(b"data: {cut"))
    for piece in said("a"):
        one.add(piece)
    assert one.collected() is None


def test_nothing_can_be_collected_before_the_end() -> None:
    one = collector(stream=True)
    for piece in said("a")[:-1]:
        one.add(piece)
        assert one.collected() is None
    one.add(DONE)
    assert one.collected()


def test_the_last_usage_counts() -> None:
    one = collector(stream=True)
    for piece in [Chunk(b"", usage=None), *streamed([chunk(content="a", finish="stop")])]:
        one.add(piece)
    found = one.collected()
    assert found
    assert found.usage == USAGE


def test_a_plain_answer_stays_as_it_came() -> None:
    body = b"  " + orjson.dumps(completion({"content": "a"}))
    assert collected([Chunk(body, usage=USAGE, end=True)], stream=False) == body
    assert collected(plain(completion({"content": "a"})), stream=False) == body.strip()


def _replayed(body: bytes, *, usage_wanted: bool = True) -> list[bytes]:
    assert CHAT.streams
    return list(CHAT.streams.replayed(orjson.loads(body), usage_wanted))
