"""AT17: what is not whole, normal and told in full is never kept."""

import orjson
import pytest

from penstock_sidecar.model import Chunk
from penstock_sidecar.redis_store import RedisStore
from tests.sidecar.cache.builders import (
    CALLER,
    DONE,
    TARGET,
    USAGE,
    AbsentStore,
    RecordingStore,
    cache,
    chunk,
    completion,
    event,
    found,
    keep,
    plain,
    request,
    said,
    streamed,
)

ANSWER = completion({"content": "hello"})
CITED = [{"type": "url_citation", "url_citation": {"url": "https://news.example"}}]


def _without(document: dict[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in document.items() if key != name}


UNFIT: dict[str, list[Chunk]] = {
    "cut plain": [Chunk(orjson.dumps(ANSWER), usage=USAGE)],
    "no usage": [Chunk(orjson.dumps(ANSWER), end=True)],
    "no usage in it": plain(_without(ANSWER, "usage")),
    "not JSON": [Chunk(b"<html>", usage=USAGE, end=True)],
    "no object": [Chunk(b"[]", usage=USAGE, end=True)],
    "error": plain({**ANSWER, "error": {"message": "x"}}),
    "no choices": plain(_without(ANSWER, "choices")),
    "zero choices": plain(completion()),
    "a choice too many": plain(completion({"content": "a"}, {"content": "b"})),
    "truncated": plain(completion({"content": "a"}, finish="length")),
    "filtered": plain(completion({"content": "a"}, finish="content_filter")),
    "unfinished": plain(completion({"content": "a"}, finish="")),
    "empty": plain(completion({"content": ""})),
    "blank": plain(completion({"content": " \n"})),
    "null": plain(completion({})),
    "parts": plain(completion({"content": [{"type": "text", "text": "a"}]})),
    "no calls": plain(completion({"tool_calls": []}, finish="tool_calls")),
    "words for calls": plain(completion({"content": "One moment."}, finish="tool_calls")),
    "reasoning alone": plain(completion({"reasoning_content": "hm"})),
    "found in the web": plain(completion({"content": "a", "annotations": CITED})),
    "found by a tool": plain(completion({"content": "a", "executed_tools": [{"type": "search"}]})),
    "with its sources": plain({**ANSWER, "citations": ["https://news.example"]}),
    "with what was searched": plain({**ANSWER, "search_results": [{"title": "News"}]}),
    "nothing": [],
}
UNFIT_STREAMS: dict[str, list[Chunk]] = {
    "cut": said("a")[:-1],
    "cut before finish": said("a", finish=None),
    "truncated": said("a", finish="length"),
    "empty": said(""),
    "no usage": streamed([chunk(content="a"), chunk(finish="stop")], usage=None),
    "error in band": [*said("a")[:-1], Chunk(event({"error": {"message": "x"}})), DONE],
    "not understood": streamed([chunk(audio={"id": "a"}), chunk(content="a", finish="stop")]),
    "found in the web": streamed([chunk(annotations=CITED), chunk(content="a", finish="stop")]),
    "with its sources": streamed([{**chunk(content="a", finish="stop"), "citations": ["x"]}]),
    "nothing but an end": [DONE],
}


@pytest.mark.parametrize("case", UNFIT)
async def test_at17_unfit_answers_are_never_kept(store: RedisStore, case: str) -> None:
    recording = RecordingStore(store)
    await keep(cache(recording), request(), UNFIT[case])
    assert recording.commands == []


@pytest.mark.parametrize("case", UNFIT_STREAMS)
async def test_at17_unfit_streams_are_never_kept(store: RedisStore, case: str) -> None:
    recording = RecordingStore(store)
    await keep(cache(recording), request(stream=True), UNFIT_STREAMS[case])
    assert recording.commands == []


async def test_at17_half_of_what_was_asked_for_is_not_kept(store: RedisStore) -> None:
    where = cache(store)
    two = request({"n": 2}, choices=2)
    both = completion({"content": "a"}, {"content": "b"})
    half = completion({"content": "a"}, {"content": ""})
    assert await found(where, await keep(where, two, plain(ANSWER))) is None
    assert await found(where, await keep(where, two, plain(half))) is None
    assert await found(where, await keep(where, two, plain(both)))


async def test_an_answer_that_cites_nothing_is_kept(store: RedisStore) -> None:
    where = cache(store)
    bare = completion({"content": "a", "annotations": []})
    assert await found(where, await keep(where, request(), plain({**bare, "citations": None})))


@pytest.mark.parametrize("name", ["web_search_options", "search_parameters"])
def test_where_the_web_is_to_be_searched_nothing_is_kept(name: str) -> None:
    where = cache(AbsentStore())
    assert where.question(request({name: {}}), CALLER, TARGET) is None
    assert where.question(request({name: None}), CALLER, TARGET)
