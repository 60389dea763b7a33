"""A kept answer, streamed again or not."""

from dataclasses import replace

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from penstock_sidecar.cache.entry import Entry
from penstock_sidecar.cache.forms.openai_chat import FORM as CHAT
from penstock_sidecar.cache.forms.openai_chat.assembly import assembly
from penstock_sidecar.cache.forms.pieces import PIECE_CHARACTERS
from penstock_sidecar.cache.hit import Hit
from tests.sidecar.cache.builders import USAGE, USAGE_DOCUMENT, completion, request
from tests.sidecar.cache.forms.openai_chat.streaming import Document, completions

steady = settings(deadline=None, derandomize=True)


def hit(document: Document) -> Hit:
    body = orjson.dumps(document)
    return found(body)


def found(body: bytes) -> Hit:
    entry = Entry(body, "shop/groq", "small", "fast", USAGE, 7, 0.0)
    return Hit(entry, CHAT, "hit-exact", "id", 5)


def replayed(document: Document, *, usage_wanted: bool = False) -> list[bytes]:
    asked = replace(request(stream=True), usage_wanted=usage_wanted)
    return list(hit(document).pieces(asked))


def events(pieces: list[bytes]) -> list[Document]:
    return [orjson.loads(piece.removeprefix(b"data: ")) for piece in pieces[:-1]]


def test_a_plain_answer_is_given_byte_by_byte() -> None:
    body = b'{ "odd" : "spacing" }'
    assert list(found(body).pieces(request())) == [body]


def test_a_hit_says_who_served_and_what_was_saved() -> None:
    one = hit(completion({"content": "a"}))
    assert (one.entry.provider, one.entry.model, one.entry.tier) == ("shop/groq", "small", "fast")
    assert (one.saved_micro_usd, one.usage, one.age_seconds) == (7, USAGE, 5)


@steady
@given(completions)
def test_a_replayed_stream_assembles_to_the_same_answer(document: Document) -> None:
    chunks = assembly()
    for piece in replayed(document):
        chunks.add(piece)
    assert chunks.document(USAGE) == document


@steady
@given(completions, st.booleans())
def test_every_event_is_a_chunk_to_the_official_client(
    document: Document, usage_wanted: bool
) -> None:
    pieces = replayed(document, usage_wanted=usage_wanted)
    for one in events(pieces):
        ChatCompletionChunk.model_validate(one, strict=True)
    ChatCompletion.model_validate(document, strict=True)
    assert pieces[-1] == b"data: [DONE]\n\n"


def test_usage_comes_last_with_no_choices_and_only_when_wanted() -> None:
    document = completion({"content": "a"})
    wanted = events(replayed(document, usage_wanted=True))
    assert (wanted[-1]["choices"], wanted[-1]["usage"]) == ([], USAGE_DOCUMENT)
    assert all(one["usage"] is None for one in wanted[:-1])
    assert not any("usage" in one for one in events(replayed(document)))


def test_each_choice_ends_with_its_finish_reason() -> None:
    document = completion({"content": "a"}, {"tool_calls": [{"id": "c", "function": {}}]})
    choices = [one["choices"][0] for one in events(replayed(document))]  # type: ignore[index]  # chunks
    assert [c["finish_reason"] for c in choices if c["finish_reason"]] == ["stop", "tool_calls"]


def test_long_text_is_cut_into_events_that_any_client_can_read() -> None:
    text = "é" * (PIECE_CHARACTERS * 2 + 1)
    pieces = replayed(completion({"content": text}))
    assert sum(piece.count("é".encode()) > 0 for piece in pieces) == 3
    assert max(map(len, pieces)) < 16_384


def test_what_only_this_provider_says_is_replayed_too() -> None:
    document = completion({"content": "a", "provider_notes": [{"type": "note"}]})
    first = events(replayed({**document, "region": ["x"]}))[0]
    choices = first["choices"]
    assert isinstance(choices, list)
    assert choices[0]["delta"]["provider_notes"] == [{"type": "note"}]
    assert first["region"] == ["x"]


def test_neither_hit_nor_entry_print_the_answer() -> None:
    one = hit(completion({"content": "private"}))
    assert "private" not in repr(one) + repr(one.entry)
