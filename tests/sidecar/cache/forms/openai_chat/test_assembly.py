"""A stream's chunks make the plain answer, or nothing."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_sidecar.cache.forms import NotUnderstood
from penstock_sidecar.cache.forms.openai_chat.assembly import assembly
from penstock_sidecar.cache.forms.pieces import MAX_PARTS
from tests.sidecar.cache.builders import USAGE, USAGE_DOCUMENT, chunk, event
from tests.sidecar.cache.forms.openai_chat.streaming import Document, completions, streams

steady = settings(deadline=None, derandomize=True)


def assembled(documents: Sequence[object]) -> Document:
    chunks = assembly()
    for document in documents:
        chunks.add(event(document))
    return chunks.document(USAGE)


def message(documents: Sequence[object]) -> Document:
    choices = assembled(documents)["choices"]
    assert isinstance(choices, list)
    found = choices[0]["message"]
    assert isinstance(found, dict)
    return found


@steady
@given(st.data())
def test_an_assembled_stream_is_the_plain_answer(data: st.DataObject) -> None:
    answer = data.draw(completions)
    assert assembled(data.draw(streams(answer))) == answer


def test_done_comments_and_empty_lines_say_nothing() -> None:
    chunks = assembly()
    chunks.add(b": keep-alive\r\n\r\n")
    chunks.add(b"")
    chunks.add(event(chunk(content="a")) + b"data: [DONE]\n\n")
    assert chunks.document(USAGE)["usage"] == USAGE_DOCUMENT


def test_usage_that_the_stream_shows_is_kept_as_it_is() -> None:
    shown = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "queue_time": 0.1}
    last = {**chunk(), "choices": [], "usage": shown}
    assert assembled([{**chunk(content="a"), "usage": None}, last])["usage"] == shown


def test_what_counts_up_or_comes_late_is_taken_as_first_seen() -> None:
    first = {**chunk(content="a"), "model": "", "created": 1}
    second = {**chunk(content="b"), "created": 2, "system_fingerprint": "fp"}
    answer = assembled([first, second])
    assert (answer["created"], answer["model"]) == (1, "small-2026")
    assert answer["system_fingerprint"] == "fp"


def test_a_field_nobody_knows_is_kept_where_all_chunks_agree() -> None:
    one, other = ({**chunk(content=text), "provider": "Somebody"} for text in "ab")
    assert assembled([one, other])["provider"] == "Somebody"
    with pytest.raises(NotUnderstood):
        assembled([one, {**other, "provider": "Else"}])


def test_what_belongs_to_one_chunk_alone_is_dropped() -> None:
    padded = [{**chunk(content=text), "obfuscation": text, "x_groq": {"id": text}} for text in "ab"]
    assert assembled(padded) == assembled([chunk(content="a"), chunk(content="b")])


def test_logprobs_are_put_in_order() -> None:
    def with_logprobs(text: str) -> Document:
        document = chunk(content=text)
        choices = document["choices"]
        assert isinstance(choices, list)
        choices[0]["logprobs"] = {"content": [{"token": text}], "refusal": None}
        return document

    choices = assembled([with_logprobs("a"), with_logprobs("b")])["choices"]
    assert isinstance(choices, list)
    assert choices[0]["logprobs"] == {"content": [{"token": "a"}, {"token": "b"}]}


def test_a_providers_own_word_on_a_choice_is_kept() -> None:
    document = chunk(finish="stop")
    choices = document["choices"]
    assert isinstance(choices, list)
    choices[0]["stop_reason"] = 7
    answer = assembled([chunk(content="a"), document])["choices"]
    assert isinstance(answer, list)
    assert answer[0]["stop_reason"] == 7


def test_a_tool_calls_name_may_be_repeated_in_full() -> None:
    def call(arguments: str) -> Document:
        function = {"name": "look", "arguments": arguments}
        return chunk(tool_calls=[{"index": 0, "id": "c", "type": "function", "function": function}])

    assert message([call('{"a"'), call(":1}")])["tool_calls"] == [
        {"id": "c", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}}
    ]


def _call(**fields: object) -> Document:
    return chunk(tool_calls=[{"index": 0, "id": "c", **fields}])


NOT_UNDERSTOOD: dict[str, Document] = {
    "plain answer": {**chunk(), "object": "chat.completion"},
    "error": {**chunk(), "error": {"message": "broken"}},
    "no choices": {**chunk(), "choices": None},
    "empty choice": {**chunk(), "choices": [None]},
    "no index": {**chunk(), "choices": [{"delta": {}}]},
    "index as text": {**chunk(), "choices": [{"index": "0", "delta": {}}]},
    "delta as text": {**chunk(), "choices": [{"index": 0, "delta": "text"}]},
    "logprobs as number": {**chunk(), "choices": [{"index": 0, "logprobs": {"content": 1}}]},
    "content in parts": chunk(content=["parts"]),
    "audio": chunk(audio={"id": "a"}),
    "old function call": chunk(function_call={"name": "f"}),
    "calls as object": chunk(tool_calls={"0": {}}),
    "call without index": chunk(tool_calls=[{"id": "c"}]),
    "custom tool": _call(type="custom", custom={"name": "f"}),
    "parsed arguments": _call(function={"name": "f", "arguments": {"a": 1}}),
    "signed function": _call(function={"name": "f", "thought_signature": "s"}),
    "another call's id": _call(id="another"),
    "extra as text": chunk(extra_content="c2ln"),
}


@pytest.mark.parametrize("case", NOT_UNDERSTOOD)
def test_what_is_not_understood_is_not_put_together(case: str) -> None:
    with pytest.raises(NotUnderstood):
        assembled([_call(), NOT_UNDERSTOOD[case]])


@pytest.mark.parametrize("data", [b"data: {cut", b"data: []", b"event: x\n\n", b"<html>"])
def test_what_is_no_event_is_not_understood(data: bytes) -> None:
    chunks = assembly()
    with pytest.raises(NotUnderstood):  # noqa: PT012  # at once, or when half of one is left
        chunks.add(data)
        chunks.document(USAGE)


def test_parts_are_bounded() -> None:
    with pytest.raises(NotUnderstood):
        assembled([chunk(index, content="a") for index in range(MAX_PARTS + 1)])
    with pytest.raises(NotUnderstood):
        assembled([{**chunk(), **{f"f{i}": 1 for i in range(MAX_PARTS + 1)}}])


def test_it_knows_how_much_it_holds() -> None:
    chunks = assembly()
    chunks.add(event(chunk(0, content="four")))
    function = {"arguments": "seven.."}
    chunks.add(event(chunk(1, tool_calls=[{"index": 0, "function": function}])))
    assert chunks.size_bytes == 11
