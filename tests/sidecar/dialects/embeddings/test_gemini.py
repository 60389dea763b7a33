"""Gemini's embeddings: whole bodies."""

import pytest

from penstock_sidecar.dialects.dialect import Ask, Garbled, SaidError
from penstock_sidecar.dialects.embeddings.gemini import TASKS, path, read_answer, write_request
from penstock_sidecar.dialects.events import Counted, Ended, Started, Vector
from penstock_sidecar.dialects.texts import Task, Texts
from penstock_sidecar.model import Usage

ASK = Ask(model="gemini-embedding-001", stream=False, max_output_tokens=None)


def test_each_text_is_a_request_of_the_batch() -> None:
    assert write_request(Texts(inputs=("a", "b"), dimensions=256, task="query"), ASK) == {
        "requests": [
            {
                "model": "models/gemini-embedding-001",
                "content": {"parts": [{"text": text}]},
                "taskType": "RETRIEVAL_QUERY",
                "outputDimensionality": 256,
            }
            for text in ("a", "b")
        ]
    }
    assert write_request(Texts(inputs=("a",), user="ann"), ASK) == {
        "requests": [
            {"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "a"}]}}
        ]
    }


@pytest.mark.parametrize("model", ["gemini-embedding-001", "models/gemini-embedding-001"])
def test_the_model_is_a_resource_in_the_path(model: str) -> None:
    ask = Ask(model=model, stream=False, max_output_tokens=None)
    assert path(ask) == "/models/gemini-embedding-001:batchEmbedContents"


@pytest.mark.parametrize(
    ("task", "word"),
    [
        ("query", "RETRIEVAL_QUERY"),
        ("document", "RETRIEVAL_DOCUMENT"),
        ("classification", "CLASSIFICATION"),
        ("clustering", "CLUSTERING"),
    ],
)
def test_each_task_has_a_word(task: Task, word: str) -> None:
    assert TASKS[task] == word


def test_an_answer_becomes_events_in_its_order() -> None:
    document = {"embeddings": [{"values": [0.5, 1]}, {"values": [0.25, 2]}]}
    assert [*read_answer(document)] == [
        Started(),
        Vector(0, [0.5, 1]),
        Vector(1, [0.25, 2]),
        Ended(),
    ]


def test_usage_counts_where_it_is_told() -> None:
    document = {"embeddings": [], "usageMetadata": {"promptTokenCount": 9}}
    assert Counted(Usage(9, 0)) in [*read_answer(document)]


def test_what_is_no_answer_is_garbled_and_an_error_the_providers() -> None:
    with pytest.raises(Garbled):
        [*read_answer({"embedding": {"values": [1]}})]
    with pytest.raises(Garbled):
        [*read_answer({"embeddings": [None, {"values": [1]}]})]
    with pytest.raises(SaidError):
        [*read_answer({"error": {"code": 503, "status": "UNAVAILABLE"}})]
