"""OpenAI's embeddings: whole bodies, both ways."""

from typing import Any

import pytest

from penstock_sidecar.dialects.dialect import Ask, Garbled, Identity, SaidError, Unspeakable
from penstock_sidecar.dialects.embeddings.openai import (
    LACKS,
    read_answer,
    read_request,
    write_answer,
    write_request,
)
from penstock_sidecar.dialects.events import Counted, Ended, Started, Vector
from penstock_sidecar.dialects.quirks import Quirks
from penstock_sidecar.dialects.texts import Texts
from penstock_sidecar.model import Usage

ASK = Ask(model="text-embedding-3-small", stream=False, max_output_tokens=None)
ENTRIES = [
    {"object": "embedding", "index": 0, "embedding": [0.5, -0.25]},
    {"object": "embedding", "index": 1, "embedding": "AACAPw=="},
]
ANSWER = {
    "object": "list",
    "data": ENTRIES,
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 7, "total_tokens": 7},
}


def read(**fields: Any) -> Texts:
    return read_request({"model": "fast", "input": "a", **fields})


def test_a_whole_request_has_words() -> None:
    texts = read(
        input=["a", "b"],
        dimensions=256,
        encoding_format="base64",
        user="ann",
        input_type="search_document",
        metadata={"team": "x"},
    )
    assert texts == Texts(
        inputs=("a", "b"),
        dimensions=256,
        task="document",
        user="ann",
        spelled={"inputs": "input", "task": "input_type"},
    )


@pytest.mark.parametrize(
    ("value", "inputs"),
    [
        ("a", ("a",)),
        (["a"], ("a",)),
        ([1, 2], ([1, 2],)),
        ([[1, 2], [3]], ([1, 2], [3])),
    ],
)
def test_inputs_are_texts_or_tokens_one_or_several(value: object, inputs: object) -> None:
    assert read(input=value).inputs == inputs


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"encoding_format": "ubinary"}, "encoding_format"),
        ({"input_type": "image"}, "input_type"),
        ({"input_type": ["query"]}, "input_type"),
        ({"input_type": {"query": 1}}, "input_type"),
        ({"dimensions": "many"}, "dimensions"),
        ({"output_dtype": "int8"}, "output_dtype"),
        ({"input": {"text": "a"}}, "input"),
    ],
)
def test_what_has_no_words_is_named(fields: dict[str, object], param: str) -> None:
    with pytest.raises(Unspeakable) as caught:
        read(**fields)
    assert caught.value.param == param


def test_a_request_is_written_whole() -> None:
    texts = Texts(inputs=("a", "b"), dimensions=2, user="ann", cut=True)
    assert write_request(texts, ASK) == {
        "model": "text-embedding-3-small",
        "input": ["a", "b"],
        "dimensions": 2,
        "user": "ann",
    }
    assert write_request(Texts(inputs=("a",)), ASK) == {
        "model": "text-embedding-3-small",
        "input": ["a"],
    }


def test_fields_that_a_provider_rejects_are_left_out() -> None:
    ask = Ask("m", stream=False, max_output_tokens=None, quirks=Quirks(drops=frozenset({"user"})))
    assert write_request(Texts(inputs=("a",), user="ann"), ask) == {"model": "m", "input": ["a"]}


def test_an_answer_becomes_events() -> None:
    assert [*read_answer(ANSWER)] == [
        Started(model="text-embedding-3-small"),
        Vector(0, [0.5, -0.25]),
        Vector(1, "AACAPw=="),
        Counted(Usage(7, 0)),
        Ended(),
    ]


def test_indexes_are_counted_where_a_server_leaves_them_out() -> None:
    events = [*read_answer({"data": [{"embedding": [1]}, {"embedding": [2]}]})]
    assert events == [Started(), Vector(0, [1]), Vector(1, [2]), Ended()]


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"total_tokens": 5}, Usage(5, 0)),
        ({"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 5}, Usage(5, 0)),
        ({"prompt_tokens": 0, "total_tokens": 0}, Usage(0, 0)),
    ],
)
def test_usage_is_input_alone(usage: object, counted: Usage) -> None:
    events = read_answer({"data": [], "usage": usage})
    assert [event.usage for event in events if isinstance(event, Counted)] == [counted]


@pytest.mark.parametrize("usage", [None, {}, 5, {"prompt_tokens": -1}, {"total_tokens": "5"}])
def test_nonsense_is_no_usage(usage: object) -> None:
    assert not any(isinstance(e, Counted) for e in read_answer({"data": [], "usage": usage}))


@pytest.mark.parametrize(
    "document", [{}, {"data": {}}, {"data": [{"embedding": None}]}, {"data": [None]}]
)
def test_what_is_no_answer_is_garbled(document: dict[str, object]) -> None:
    with pytest.raises(Garbled):
        [*read_answer(document)]


def test_an_error_within_is_the_providers() -> None:
    with pytest.raises(SaidError):
        [*read_answer({"error": {"message": "no"}})]


def wrote(*events: Any, **asked: object) -> Any:
    return write_answer(events, Identity("c", 0, "fast", asked={"input": "a", **asked}))


def test_an_answer_is_written_whole_in_the_order_of_the_inputs() -> None:
    events = (Started(), Vector(1, "AACAPw=="), Vector(0, [0.5]), Counted(Usage(7, 0)), Ended())
    assert wrote(*events, input=["a", "b"]) == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [0.5]},
            {"object": "embedding", "index": 1, "embedding": [1.0]},
        ],
        "model": "fast",
        "usage": {"prompt_tokens": 7, "total_tokens": 7},
    }


def test_base64_is_written_for_who_asks_and_usage_only_where_somebody_counted() -> None:
    assert wrote(Started(model="m"), Vector(0, [1.0]), Ended(), encoding_format="base64") == {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": "AACAPw=="}],
        "model": "m",
    }


def test_fewer_vectors_than_texts_are_not_passed_on() -> None:
    with pytest.raises(Garbled, match="answered with 1 embeddings of 2 texts"):
        wrote(Started(), Vector(0, [1.0]), Ended(), input=["a", "b"])
    assert wrote(Started(), Ended(), input=["a", "b"])["data"] == []


def test_it_takes_2048_at_once() -> None:
    assert LACKS.most_inputs == 2048
