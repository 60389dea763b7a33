"""What is read of completions that pass."""

import pytest

from penstock_sidecar.dialects.dialect import Garbled, SaidError
from penstock_sidecar.dialects.events import Counted, Ended, Finished, Started, TextPiece
from penstock_sidecar.dialects.openai_completions.answer import CompletionReader, read_completion
from penstock_sidecar.model import Usage

HEAD = {"id": "cmpl-1", "object": "text_completion", "model": "m"}
COUNTS = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def test_a_whole_completion_is_read() -> None:
    choices = [
        {"text": "a", "index": 0, "finish_reason": "stop"},
        {"text": "b", "index": 1, "finish_reason": "length"},
    ]
    assert list(read_completion({**HEAD, "choices": choices, "usage": COUNTS})) == [
        Started("cmpl-1", "m"),
        TextPiece("a"),
        Finished("stop"),
        TextPiece("b", 1),
        Finished("length", 1),
        Counted(Usage(7, 3)),
        Ended(),
    ]


def test_a_stream_is_whole_once_all_choices_have_finished() -> None:
    reader = CompletionReader(2)
    for index in (0, 1):
        with pytest.raises(Garbled):
            list(reader.over())
        choice = {"text": "", "index": index, "finish_reason": "stop"}
        assert Finished("stop", index) in list(reader.read({**HEAD, "choices": [choice]}))
    assert list(reader.over()) == [Ended()]


def test_an_error_in_place_of_an_answer_is_one() -> None:
    with pytest.raises(SaidError):
        list(read_completion({"error": {"message": "No."}}))
    with pytest.raises(SaidError):
        list(CompletionReader(1).read({"error": {"message": "No."}}))


def test_what_has_no_choices_is_no_completion() -> None:
    with pytest.raises(Garbled):
        list(read_completion(HEAD))
