"""A stream's chunks make the plain completion, however they were cut, and the other way."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import Completion

from penstock_sidecar.cache.forms import NotUnderstood
from penstock_sidecar.cache.forms.openai_completions import FORM
from penstock_sidecar.cache.forms.pieces import PIECE_CHARACTERS
from penstock_sidecar.dialects.sse import DONE_EVENT
from tests.sidecar.cache.builders import USAGE_DOCUMENT, request
from tests.sidecar.cache.forms.cutting import (
    Document,
    assembled,
    cut_bytes,
    events,
    replayed,
    sse,
    steady,
)
from tests.sidecar.cache.forms.openai_completions.streaming import (
    HEAD,
    completion,
    completions,
    streams,
)


@steady
@given(st.data())
def test_a_stream_is_the_plain_completion_however_it_was_cut(data: st.DataObject) -> None:
    answer = data.draw(completions())
    draw: Any = data.draw
    sent = sse(data.draw(streams(answer))) + DONE_EVENT
    assert assembled(FORM, cut_bytes(draw, sent)) == answer
    assert FORM.whole(answer, request(choices=len(answer["choices"])))


@steady
@given(completions())
def test_a_replay_makes_the_same_completion_to_us_and_is_valid_to_the_client(
    answer: Document,
) -> None:
    pieces = replayed(FORM, answer)
    assert assembled(FORM, pieces) == answer
    for each in [*events(pieces), answer]:
        # The client's type has no word for an end that is still to come; OpenAI sends `null`.
        choices = [{**c, "finish_reason": c["finish_reason"] or "stop"} for c in each["choices"]]
        Completion.model_validate({**each, "choices": choices}, strict=True)


def test_usage_comes_last_and_only_when_wanted() -> None:
    answer = completion("a")
    wanted = events(replayed(FORM, answer))
    assert (wanted[-1]["choices"], wanted[-1]["usage"]) == ([], USAGE_DOCUMENT)
    assert all(each["usage"] is None for each in wanted[:-1])
    unasked = replayed(FORM, answer, usage_wanted=False)
    assert not any("usage" in each for each in events(unasked))
    assert unasked[-1] == DONE_EVENT


def test_long_text_is_cut_and_each_choice_ends() -> None:
    said = [c for each in events(replayed(FORM, completion("é" * (PIECE_CHARACTERS + 1), "b")))
            for c in each["choices"]]  # fmt: skip
    assert [(c["index"], len(c["text"]), c["finish_reason"]) for c in said] == [
        (0, PIECE_CHARACTERS, None),
        (0, 1, None),
        (0, 0, "stop"),
        (1, 1, None),
        (1, 0, "stop"),
    ]


def test_who_counts_nothing_is_counted_for() -> None:
    sent = [{**HEAD, "choices": [{"text": "a", "index": 0, "finish_reason": "stop"}]}]
    assert assembled(FORM, [sse(sent)])["usage"] == USAGE_DOCUMENT


def chunk(**choice: Any) -> Document:
    return {**HEAD, "choices": [{"text": "a", "index": 0, **choice}]}


NOT_UNDERSTOOD: dict[str, list[Document]] = {
    "error": [{**chunk(), "error": {"message": "broken"}}],
    "no choices": [{**chunk(), "choices": None}],
    "choice as text": [{**chunk(), "choices": ["a"]}],
    "index as text": [chunk(index="0")],
    "text as list": [chunk(text=["a"])],
    "logprobs as list": [chunk(logprobs=["a"])],
    "tokens as text": [chunk(logprobs={"tokens": "a"})],
    "fields that do not agree": [chunk(stop_reason=1), chunk(stop_reason=2)],
    "another object": [chunk(), {**chunk(), "object": "chat.completion.chunk"}],
}


@pytest.mark.parametrize("case", NOT_UNDERSTOOD)
def test_what_is_not_understood_is_not_put_together(case: str) -> None:
    with pytest.raises(NotUnderstood):
        assembled(FORM, [sse(NOT_UNDERSTOOD[case])])


UNFIT: dict[str, Document] = {
    "truncated": completion("a", finish="length"),
    "filtered": completion("a", finish="content_filter"),
    "empty": completion(""),
    "blank": completion(" \n"),
    "one too many": completion("a", "b"),
    "no usage": {**completion("a"), "usage": None},
    "error": {**completion("a"), "error": {"message": "x"}},
    "text as list": {**completion("a"), "choices": [{"text": ["a"], "index": 0}]},
    "finish as list": {
        **completion(),
        "choices": [{"text": "a", "index": 0, "finish_reason": ["stop"]}],
    },
    "logprobs as list": {
        **completion(),
        "choices": [{"text": "a", "index": 0, "finish_reason": "stop", "logprobs": []}],
    },
    "no choices": {**completion(), "choices": None},
}


@pytest.mark.parametrize("case", UNFIT)
def test_at17_unfit_completions_are_not_whole(case: str) -> None:
    assert not FORM.whole(UNFIT[case], request())
    assert FORM.whole(completion("a"), request())


@pytest.mark.parametrize(
    ("fields", "generated", "wanted"),
    [
        ({}, 1, 1),
        ({"prompt": ["a", "b"]}, 2, 2),
        ({"n": 2}, 2, 2),
        ({"prompt": ["a", "b"], "n": 2, "best_of": 3}, 6, 4),
        ({"best_of": 3}, 3, 1),
    ],
)
def test_at17_only_all_that_was_asked_for_is_whole(
    fields: Document, generated: int, wanted: int
) -> None:
    asked = request(fields, choices=generated)
    texts = ["a"] * wanted
    assert FORM.whole(completion(*texts), asked)
    assert not FORM.whole(completion(*texts, "a"), asked)
    assert not FORM.whole(completion(*texts[1:]), asked)
