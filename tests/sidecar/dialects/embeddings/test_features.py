"""What an embedding request asks for, and what of it providers lack."""

from typing import Any

import pytest

from penstock_sidecar.dialects.dialect import Unspeakable
from penstock_sidecar.dialects.embeddings import gemini, ollama, openai
from penstock_sidecar.dialects.embeddings.features import features_of_texts, refuse_texts
from penstock_sidecar.dialects.features import Feature, Lacks
from penstock_sidecar.dialects.texts import Texts

SPELLED = {"inputs": "input", "task": "input_type", "cut": "truncate"}


def texts(*inputs: Any, **fields: Any) -> Texts:
    return Texts(inputs or ("a",), spelled=SPELLED, **fields)


def test_features_are_named_as_the_caller_spells_them() -> None:
    asked = texts("a", (1, 2), dimensions=4, task="query", cut=True, user="ann")
    assert [*features_of_texts(asked)] == [
        (Feature.COUNTED, "input"),
        (Feature.DIMENSIONS, "dimensions"),
        (Feature.TASK, "input_type"),
        (Feature.CUT, "truncate"),
        (Feature.USER, "user"),
    ]
    assert [*features_of_texts(texts(cut=False))] == [(Feature.UNCUT, "truncate")]
    assert [*features_of_texts(texts())] == []


@pytest.mark.parametrize(
    ("lacks", "asked", "public"),
    [
        (
            gemini.LACKS,
            texts((1, 2)),
            "`input` cannot be expressed to a provider of type x: send text, or ask a model of"
            " another provider",
        ),
        (
            gemini.LACKS,
            texts(cut=False),
            "`truncate` cannot be expressed to a provider of type x: remove it, or ask a model of"
            " another provider",
        ),
        (
            gemini.LACKS,
            texts(*"a" * 101),
            "`input` cannot be expressed to a provider of type x with more than 100 entries: send"
            " fewer, or ask a model of another provider",
        ),
        (
            ollama.LACKS,
            texts(task="query"),
            "`input_type` cannot be expressed to a provider of type x: remove it, or ask a model"
            " of another provider",
        ),
        (
            openai.LACKS,
            texts(*"a" * 2049),
            "`input` cannot be expressed to a provider of type x with more than 2048 entries: send"
            " fewer, or ask a model of another provider",
        ),
    ],
)
def test_a_refusal_names_the_field_and_what_mends_it(
    lacks: Lacks, asked: Texts, public: str
) -> None:
    with pytest.raises(Unspeakable) as caught:
        refuse_texts(asked, lacks)
    assert caught.value.public("x") == public


@pytest.mark.parametrize(
    ("lacks", "asked"),
    [
        (gemini.LACKS, texts(*"a" * 100, dimensions=4, task="query", cut=True, user="ann")),
        (ollama.LACKS, texts(*"a" * 5000, dimensions=4, cut=False, user="ann")),
        (openai.LACKS, texts(*"a" * 2048, dimensions=4, cut=True, user="ann")),
        (openai.LACKS, texts((1, 2), cut=False)),
    ],
)
def test_all_else_is_let_through(lacks: Lacks, asked: Texts) -> None:
    refuse_texts(asked, lacks)
