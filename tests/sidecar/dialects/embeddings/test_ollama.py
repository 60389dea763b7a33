"""Ollama's embeddings, today's and the former: whole bodies, both ways."""

from typing import Any

import pytest

from penstock_sidecar.clock import SystemClock
from penstock_sidecar.dialects.dialect import Ask, Garbled, Identity, SaidError, Unspeakable
from penstock_sidecar.dialects.embeddings.ollama import (
    read_answer,
    read_former_answer,
    read_former_request,
    read_request,
    write_answer,
    write_former_answer,
    write_request,
)
from penstock_sidecar.dialects.events import Counted, Ended, Started, Vector
from penstock_sidecar.dialects.texts import Texts
from penstock_sidecar.model import Usage

ASK = Ask(model="all-minilm", stream=False, max_output_tokens=None)


class Later(SystemClock):
    """Two seconds after the provider was asked."""

    def monotonic(self) -> float:
        return 12.0


IDENTITY = Identity("c", 0, "fast", asked={"input": ["a", "b"]}, clock=Later(), began=10.0)


def test_a_whole_request_has_words() -> None:
    document = {
        "model": "fast",
        "input": ["a", "b"],
        "truncate": False,
        "dimensions": 4,
        "options": {"num_ctx": 512},
        "keep_alive": "5m",
    }
    spelled = {"inputs": "input", "cut": "truncate"}
    assert read_request(document) == Texts(("a", "b"), dimensions=4, cut=False, spelled=spelled)
    assert read_request({"model": "fast", "input": "a"}) == Texts(("a",), spelled=spelled)


def test_a_former_request_has_one_text() -> None:
    document = {"model": "fast", "prompt": "a", "options": {}, "keep_alive": 0}
    assert read_former_request(document) == Texts(("a",), spelled={"inputs": "prompt"})


@pytest.mark.parametrize(
    ("fields", "param"),
    [({"truncate": "yes"}, "truncate"), ({"dimensions": 1.5}, "dimensions"), ({"x": 1}, "x")],
)
def test_what_has_no_words_is_named(fields: dict[str, object], param: str) -> None:
    with pytest.raises(Unspeakable) as caught:
        read_request({"model": "fast", "input": "a", **fields})
    assert caught.value.param == param


def test_todays_fields_are_unknown_to_the_former_api() -> None:
    with pytest.raises(Unspeakable, match="dimensions"):
        read_former_request({"model": "fast", "prompt": "a", "dimensions": 4})


def test_a_request_is_written_whole() -> None:
    texts = Texts(("a", "b"), dimensions=4, cut=True, user="ann")
    assert write_request(texts, ASK) == {
        "model": "all-minilm",
        "input": ["a", "b"],
        "dimensions": 4,
        "truncate": True,
    }
    assert write_request(Texts(("a",)), ASK) == {"model": "all-minilm", "input": ["a"]}


def test_an_answer_becomes_events() -> None:
    document = {"model": "all-minilm", "embeddings": [[1], [2]], "prompt_eval_count": 8}
    assert [*read_answer(document)] == [
        Started(model="all-minilm"),
        Vector(0, [1]),
        Vector(1, [2]),
        Counted(Usage(8, 0)),
        Ended(),
    ]


def test_a_former_answer_has_one_vector_and_no_usage() -> None:
    assert [*read_former_answer({"embedding": [1, 2]})] == [Started(), Vector(0, [1, 2]), Ended()]


@pytest.mark.parametrize("document", [{}, {"embeddings": {}}, {"embeddings": [1]}])
def test_what_is_no_answer_is_garbled(document: dict[str, object]) -> None:
    with pytest.raises(Garbled):
        [*read_answer(document)]
    with pytest.raises(Garbled):
        [*read_former_answer(document)]


@pytest.mark.parametrize("read", [read_answer, read_former_answer])
def test_an_error_within_is_the_providers(read: Any) -> None:
    with pytest.raises(SaidError):
        [*read({"error": "out of memory"})]


def test_an_answer_is_written_whole() -> None:
    events = (
        Started(model="text-embedding-3-small"),
        Vector(1, "AACAPw=="),
        Vector(0, [0.5]),
        Counted(Usage(7, 0)),
        Ended(),
    )
    assert write_answer(events, IDENTITY) == {
        "model": "fast",
        "embeddings": [[0.5], [1.0]],
        "total_duration": 2_000_000_000,
        "load_duration": 0,
        "prompt_eval_count": 7,
    }


def test_a_count_that_nobody_made_is_left_out() -> None:
    events = (Started(), Vector(0, [1]), Vector(1, [2]), Ended())
    assert "prompt_eval_count" not in write_answer(events, IDENTITY)


def test_fewer_vectors_than_texts_are_not_passed_on() -> None:
    with pytest.raises(Garbled, match="answered with 1 embeddings of 2 texts"):
        write_answer((Started(), Vector(0, [1]), Ended()), IDENTITY)


def test_a_former_answer_is_written_whole() -> None:
    assert write_former_answer((Started(), Vector(0, "AACAPw=="), Ended()), IDENTITY) == {
        "embedding": [1.0]
    }
