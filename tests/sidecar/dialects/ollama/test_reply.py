"""Answers as Ollama writes them: docs/api.md and api/types.go of ollama/ollama."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.dialects.dialect import Garbled, Identity
from penstock_sidecar.dialects.events import (
    CallPiece,
    Counted,
    Ended,
    Event,
    Finish,
    Finished,
    RefusalPiece,
    Started,
    TextPiece,
    ThoughtPiece,
)
from penstock_sidecar.dialects.ollama.answer import OllamaReader, read_answer
from penstock_sidecar.dialects.ollama.reply import OllamaWriter, timestamp, write_answer
from penstock_sidecar.dialects.whole import whole
from penstock_sidecar.model import Usage
from tests.sidecar.dialects.ollama.given import SteppedClock

HEAD = {"model": "fast", "created_at": "2023-11-14T22:13:20.25Z"}
TOKEN = {"token": "Yes", "logprob": -0.1, "bytes": [89, 101, 115], "top_logprobs": []}
LOOK: tuple[Event, ...] = (CallPiece(0, "c1", "look", '{"at'), CallPiece(0, arguments='":"it"}'))
SING: tuple[Event, ...] = (CallPiece(1, name="sing"),)


def identity() -> Identity:
    return Identity("1", 1_700_000_000, "fast", clock=SteppedClock(), began=100.0)


def written(*events: Event) -> bytes:
    writer = OllamaWriter(identity())
    return b"".join(writer.write(event) for event in events)


def lines(*events: Event) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written(*events).splitlines()]


def test_a_stream_is_a_line_for_each_piece_and_one_that_is_done() -> None:
    assert lines(
        Started("x", "gpt"),
        ThoughtPiece("Hm."),
        TextPiece("Yes", logprobs=(TOKEN,)),
        TextPiece("."),
        Finished("stop"),
        Counted(Usage(7, 3)),
        Ended(),
    ) == [
        {
            **HEAD,
            "message": {"role": "assistant", "content": "", "thinking": "Hm."},
            "done": False,
        },
        {
            **HEAD,
            "message": {"role": "assistant", "content": "Yes"},
            "done": False,
            "logprobs": [TOKEN],
        },
        {**HEAD, "message": {"role": "assistant", "content": "."}, "done": False},
        {
            **HEAD,
            "message": {"role": "assistant", "content": ""},
            "done": True,
            "done_reason": "stop",
            "total_duration": 1_000_000_000,
            "load_duration": 0,
            "prompt_eval_count": 7,
            "prompt_eval_duration": 500_000_000,
            "eval_count": 3,
            "eval_duration": 500_000_000,
        },
    ]


def test_fields_come_in_ollama_s_order() -> None:
    data = written(TextPiece("Yes"), Finished("stop"), Counted(Usage(7, 3)), Ended())
    assert [list(json.loads(line)) for line in data.splitlines()] == [
        ["model", "created_at", "message", "done"],
        [
            "model",
            "created_at",
            "message",
            "done",
            "done_reason",
            "total_duration",
            "load_duration",
            "prompt_eval_count",
            "prompt_eval_duration",
            "eval_count",
            "eval_duration",
        ],
    ]


def test_tool_calls_are_whole_however_they_came() -> None:
    calls = [
        {"id": "c1", "function": {"index": 0, "name": "look", "arguments": {"at": "it"}}},
        {"id": "call_1_1", "function": {"index": 1, "name": "sing", "arguments": {}}},
    ]
    first, last = lines(*LOOK, *SING, Finished("tool_calls"), Ended())
    assert first["message"] == {"role": "assistant", "content": "", "tool_calls": calls}
    assert (last["done"], last["done_reason"]) == (True, "stop")
    document = write_answer([*LOOK, *SING, Finished("tool_calls"), Ended()], identity())
    assert document["message"] == {"role": "assistant", "content": "", "tool_calls": calls}


def test_a_plain_answer_is_one_document() -> None:
    events: list[Event] = [
        ThoughtPiece("Hm."),
        TextPiece("Yes", logprobs=(TOKEN,)),
        Finished("length"),
        Counted(Usage(7, 3)),
        Ended(),
    ]
    assert write_answer(events, identity()) == {
        **HEAD,
        "message": {"role": "assistant", "content": "Yes", "thinking": "Hm."},
        "done": True,
        "done_reason": "length",
        "total_duration": 500_000_000,
        "load_duration": 0,
        "prompt_eval_count": 7,
        "eval_count": 3,
        "eval_duration": 500_000_000,
        "logprobs": [TOKEN],
    }


def test_counts_that_nobody_made_are_left_out() -> None:
    (_, last) = lines(TextPiece("Yes"), Finished("stop"), Ended())
    assert not {"prompt_eval_count", "eval_count"} & last.keys()


def test_a_refusal_is_the_answer() -> None:
    events: list[Event] = [RefusalPiece("I will not."), Finished("content_filter"), Ended()]
    first, last = lines(*events)
    assert first["message"]["content"] == "I will not."
    assert last["done_reason"] == "content_filter"
    message = write_answer(events, identity())["message"]
    assert message == {"role": "assistant", "content": "I will not."}


@pytest.mark.parametrize("arguments", ['{"a":', "[1]", '"a"', "null", '{"a":\x00}'])
def test_arguments_that_are_no_object_cannot_be_said(arguments: str) -> None:
    """An empty object in their place would be run as if the model had said so."""
    events: list[Event] = [CallPiece(0, "c", "f", arguments), Finished("tool_calls"), Ended()]
    with pytest.raises(Garbled):
        written(*events)
    with pytest.raises(Garbled):
        write_answer(events, identity())


@pytest.mark.parametrize(
    ("utc", "said"),
    [
        (0.0, "1970-01-01T00:00:00Z"),
        (1_700_000_000.5, "2023-11-14T22:13:20.5Z"),
        (1_700_000_000.000_001, "2023-11-14T22:13:20.000000953Z"),
    ],
)
def test_a_time_is_written_as_go_does(utc: float, said: str) -> None:
    """The last is what a float knows of a microsecond, cut off."""
    assert timestamp(utc) == said


TEXTS = st.text(min_size=1, max_size=10)
CALLS = st.lists(
    st.tuples(TEXTS, st.dictionaries(TEXTS, TEXTS | st.integers(-(2**53), 2**53), max_size=2)),
    max_size=3,
)


@st.composite
def answers(draw: st.DrawFn) -> list[Event]:
    """Text and thoughts in any order, calls whose arguments come in pieces cut anywhere."""
    pieces = st.builds(TextPiece, TEXTS) | st.builds(ThoughtPiece, TEXTS)
    events: list[Event] = [Started(), *draw(st.lists(pieces, max_size=6))]
    for index, (name, arguments) in enumerate(draw(CALLS)):
        text = json.dumps(arguments)
        cut = draw(st.integers(0, len(text)))
        events.append(CallPiece(index, f"id{index}", name, text[:cut]))
        events.append(CallPiece(index, arguments=text[cut:]))
    finish: Finish = draw(st.sampled_from(["stop", "length"]))
    return [*events, Finished(finish), Counted(Usage(draw(st.integers(0, 9)), 2)), Ended()]


def said(events: Sequence[Event]) -> tuple[object, ...]:
    answer = whole(events)
    choice = answer.first
    calls = [(call.id, call.name, json.loads(call.arguments)) for call in choice.calls]
    return choice.text, choice.thought, calls, choice.finish == "length", answer.usage


@given(answers())
def test_what_is_written_says_what_was_said(events: list[Event]) -> None:
    """Ollama's own reader hears the same, of the lines and of the whole."""
    reader = OllamaReader(1)
    streamed = [e for line in lines(*events) for e in reader.read(line)]
    assert said(streamed) == said(events)
    assert said(list(read_answer(write_answer(events, identity())))) == said(events)


@given(answers())
def test_a_line_is_one_line_to_everybody(events: list[Event]) -> None:
    """Python's clients break lines at characters that JSON may hold as they are."""
    data = written(*events)
    assert data.decode().splitlines() == data.decode().removesuffix("\n").split("\n")
