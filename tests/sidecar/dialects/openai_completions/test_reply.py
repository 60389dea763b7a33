"""What callers of legacy completions get."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.dialects.dialect import Identity
from penstock_sidecar.dialects.events import (
    Counted,
    Ended,
    Event,
    Finished,
    RefusalPiece,
    Started,
    TextPiece,
    ThoughtPiece,
)
from penstock_sidecar.dialects.openai_completions.answer import CompletionReader, read_completion
from penstock_sidecar.dialects.openai_completions.reply import CompletionWriter, write_completion
from penstock_sidecar.dialects.whole import whole
from penstock_sidecar.model import Usage
from tests.sidecar.dialects.openai_responses.given import steady

USAGE = Usage(7, 3)
COUNTS = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
HEAD = {"id": "cmpl-call", "object": "text_completion", "created": 5, "model": "m"}
TOKENS = (
    {
        "token": " upon",
        "logprob": -0.5,
        "bytes": [32],
        "top_logprobs": [{"token": " upon", "logprob": -0.5}, {"token": " a", "logprob": -2}],
    },
    {"token": " a", "logprob": -0.25, "bytes": None, "top_logprobs": []},
)


def identity(*, usage_wanted: bool = False, **asked: Any) -> Identity:
    return Identity("call", 5, "fast", usage_wanted, {"prompt": "Once", **asked})


def answer(*pieces: Event) -> list[Event]:
    return [Started("x", "m"), *pieces, Counted(USAGE), Ended()]


def streamed(events: Sequence[Event], of: Identity) -> list[dict[str, Any]]:
    writer = CompletionWriter(of)
    data = b"".join(writer.write(event) for event in events)
    *documents, done, rest = data.split(b"\n\n")
    assert (done, rest) == (b"data: [DONE]", b"")
    return [json.loads(document.removeprefix(b"data: ")) for document in documents]


def choice(text: str, index: int = 0, **fields: Any) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": None, **fields}


def test_pieces_are_told_one_by_one() -> None:
    events = answer(
        ThoughtPiece("Hm."), TextPiece(" upon"), RefusalPiece(" no"), Finished("length")
    )
    assert streamed(events, identity()) == [
        {**HEAD, "choices": [choice(" upon")]},
        {**HEAD, "choices": [choice(" no")]},
        {**HEAD, "choices": [choice("", finish_reason="length")]},
    ]


def test_usage_is_told_to_who_asks() -> None:
    events = answer(TextPiece("a"), Finished("stop"))
    assert streamed(events, identity(usage_wanted=True)) == [
        {**HEAD, "choices": [choice("a")], "usage": None},
        {**HEAD, "choices": [choice("", finish_reason="stop")], "usage": None},
        {**HEAD, "choices": [], "usage": COUNTS},
    ]


def test_a_whole_answer_is_told_at_once() -> None:
    events = answer(
        TextPiece("a"), TextPiece("b", 1), Finished("stop"), Finished("content_filter", 1)
    )
    assert write_completion(events, identity()) == {
        **HEAD,
        "choices": [
            choice("a", finish_reason="stop"),
            choice("b", 1, finish_reason="content_filter"),
        ],
        "usage": COUNTS,
    }


def test_log_probabilities_are_four_lists() -> None:
    events = answer(TextPiece(" upon a", logprobs=TOKENS), Finished("stop"))
    told = {
        "tokens": [" upon", " a"],
        "token_logprobs": [-0.5, -0.25],
        "top_logprobs": [{" upon": -0.5, " a": -2}, {}],
        "text_offset": [4, 9],
    }
    whole_answer: Any = write_completion(events, identity())
    assert whole_answer["choices"][0]["logprobs"] == told
    assert streamed(events, identity())[0]["choices"][0]["logprobs"] == told


def test_offsets_go_on_from_piece_to_piece() -> None:
    first, second = ((token,) for token in TOKENS)
    events = answer(
        TextPiece(" upon", logprobs=first), TextPiece(" a", logprobs=second), Finished("stop")
    )
    pieces = streamed(events, identity())
    offsets = [piece["choices"][0]["logprobs"]["text_offset"] for piece in pieces[:2]]
    assert offsets == [[4], [9]]


def test_an_echo_comes_first_and_once() -> None:
    events = answer(TextPiece(" upon"), TextPiece(" a"), Finished("stop"))
    texts = [piece["choices"][0]["text"] for piece in streamed(events, identity(echo=True))]
    assert texts == ["Once", " upon", " a", ""]
    whole_answer: Any = write_completion(events, identity(echo=True))
    assert whole_answer["choices"][0]["text"] == "Once upon a"


_PIECES = st.lists(
    st.builds(TextPiece, st.text(min_size=1, max_size=6), st.integers(0, 2)), max_size=8
)


@steady
@given(_PIECES)
def test_what_is_written_is_read_again(pieces: list[Event]) -> None:
    events = answer(*pieces, *(Finished("stop", index) for index in range(3)))
    of = identity(usage_wanted=True)
    reader = CompletionReader(3)
    read = [event for document in streamed(events, of) for event in reader.read(document)]
    for found in (
        whole([*read, *reader.over()]),
        whole(list(read_completion(write_completion(events, of)))),
    ):
        assert [(i, c.text, c.finish) for i, c in found.choices] == [
            (i, c.text, c.finish) for i, c in whole(events).choices
        ]
        assert found.usage == USAGE
