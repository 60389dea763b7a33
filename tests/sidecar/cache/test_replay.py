"""A kept answer, streamed again or not."""

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from penstock_sidecar.cache.assembly import Assembly
from penstock_sidecar.cache.entry import Entry
from penstock_sidecar.cache.replay import PIECE_CHARACTERS, Hit
from penstock_sidecar.model import Chunk
from tests.sidecar.cache.builders import USAGE, USAGE_DOCUMENT, completion
from tests.sidecar.cache.streaming import Document, completions

steady = settings(deadline=None, derandomize=True)


def hit(document: Document) -> Hit:
    body = orjson.dumps(document)
    return Hit(Entry(body, "shop/groq", "small", "fast", USAGE, 7, 0.0), "id", 5)


def replayed(document: Document, *, usage_wanted: bool = False) -> list[Chunk]:
    return list(hit(document).chunks(stream=True, usage_wanted=usage_wanted))


def events(chunks: list[Chunk]) -> list[Document]:
    return [orjson.loads(c.data.removeprefix(b"data: ")) for c in chunks if not c.end]


def test_a_plain_answer_is_given_byte_by_byte() -> None:
    body = b'{ "odd" : "spacing" }'
    found = Hit(Entry(body, "p", "m", "t", USAGE, 7, 0.0), "id", 5)
    (chunk,) = found.chunks(stream=False, usage_wanted=False)
    assert (chunk.data, chunk.end) == (body, True)


def test_a_hit_says_who_served_and_what_was_saved() -> None:
    found = hit(completion({"content": "a"}))
    assert (found.provider, found.model, found.tier) == ("shop/groq", "small", "fast")
    assert (found.saved_micro_usd, found.usage, found.age_seconds) == (7, USAGE, 5)


@steady
@given(completions)
def test_a_replayed_stream_assembles_to_the_same_answer(document: Document) -> None:
    assembly = Assembly()
    for chunk in replayed(document):
        assembly.add(chunk.data)
    assert assembly.document(USAGE) == document


@steady
@given(completions, st.booleans())
def test_every_event_is_a_chunk_to_the_official_client(
    document: Document, usage_wanted: bool
) -> None:
    chunks = replayed(document, usage_wanted=usage_wanted)
    for one in events(chunks):
        ChatCompletionChunk.model_validate(one, strict=True)
    ChatCompletion.model_validate(document, strict=True)
    assert chunks[-1].data == b"data: [DONE]\n\n"
    assert [c.end for c in chunks].count(True) == 1


def test_usage_comes_last_with_no_choices_and_only_when_wanted() -> None:
    document = completion({"content": "a"})
    wanted = events(replayed(document, usage_wanted=True))
    assert (wanted[-1]["choices"], wanted[-1]["usage"]) == ([], USAGE_DOCUMENT)
    assert all(one["usage"] is None for one in wanted[:-1])
    assert not any("usage" in one for one in events(replayed(document)))


def test_each_choice_ends_with_its_finish_reason() -> None:
    chunks = replayed(completion({"content": "a"}, {"tool_calls": [{"id": "c", "function": {}}]}))
    assert [c.finish for c in chunks if c.finish] == ["stop", "tool_calls"]
    assert [c.content for c in chunks] == [False, True, False, False, True, False, False]


def test_long_text_is_cut_into_events_that_any_client_can_read() -> None:
    text = "é" * (PIECE_CHARACTERS * 2 + 1)
    chunks = replayed(completion({"content": text}))
    assert sum(c.content for c in chunks) == 3
    assert max(len(c.data) for c in chunks) < 16_384


def test_what_only_this_provider_says_is_replayed_too() -> None:
    document = completion({"content": "a", "annotations": [{"type": "url_citation"}]})
    first = events(replayed({**document, "citations": ["x"]}))[0]
    choices = first["choices"]
    assert isinstance(choices, list)
    assert choices[0]["delta"]["annotations"] == [{"type": "url_citation"}]
    assert first["citations"] == ["x"]


def test_neither_hit_nor_entry_print_the_answer() -> None:
    found = hit(completion({"content": "private"}))
    assert "private" not in repr(found) + repr(found.entry) + repr(
        replayed(completion({"content": "private"}))
    )
