"""The table: it finds what it has, it is what it says, and what it says could be wrong."""

from collections import Counter
from dataclasses import replace

import pytest

from penstock_operator.ollama.memory.known import KnownModel, find_alike, find_known, known_models
from penstock_operator.ollama.memory.names import said_by
from penstock_operator.ollama.memory.quantisation import mixture_named
from penstock_operator.ollama.memory.weights import parameters_in_layers, weights_bytes
from tests.operator.ollama.memory.published import MEGABYTE, by_table, deviation

ROWS = known_models()


def name_of(row: KnownModel) -> str:
    return row.names[0]


def test_the_table_has_more_than_twenty_models_and_no_name_twice() -> None:
    names = Counter(name for row in ROWS for name in row.names)
    assert len(ROWS) > 20
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_a_model_is_within_a_tenth_of_every_published_size(row: KnownModel) -> None:
    assert row.published
    for published in row.published:
        assert abs(deviation(by_table(row, published), published.megabytes)) < 0.1
        assert published.source.startswith("https://")


def test_most_are_within_a_fiftieth() -> None:
    every = [abs(deviation(by_table(row, p), p.megabytes)) for row in ROWS for p in row.published]
    assert sorted(every)[len(every) * 9 // 10] < 0.02


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_sizes_are_reckoned_from_the_shape_and_not_read(row: KnownModel) -> None:
    """With a quarter fewer parameters the check above fails."""
    mixture = mixture_named(row.quantisation)
    assert mixture is not None
    wrong = replace(row.model, parameters=row.model.parameters * 3 // 4)
    (first, *_) = [p for p in row.published if p.quantisation == row.quantisation] or row.published
    mixture = mixture_named(first.quantisation)
    assert mixture is not None
    assert abs(weights_bytes(wrong, mixture) / (first.megabytes * MEGABYTE) - 1) > 0.1


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_a_shape_adds_up_to_its_parameters(row: KnownModel) -> None:
    """What its tensors have by layers, heads and widths is what its card says: a wrong number of
    heads or layers would show. Latent attention has tensors that are not told apart here."""
    model = row.model
    vocabulary = model.vocabulary * model.embedding * (1 if model.tied else 2)
    found = parameters_in_layers(model) + vocabulary
    tolerance = 0.07 if model.kept_per_layer else 0.02
    assert abs(found / model.parameters - 1) < tolerance


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("llama3.1", "llama3.1:8b"),
        ("llama3.1:8b", "llama3.1:8b"),
        ("llama3.1:8b-instruct-q4_K_M", "llama3.1:8b"),
        ("library/llama3.1:70b", "llama3.1:70b"),
        ("registry.ollama.ai/library/mistral:latest", "mistral:7b"),
        ("mistral:instruct", "mistral:7b"),
        ("phi3:medium-128k", "phi3:14b"),
        ("gemma3:4b-it-qat", "gemma3:4b"),
        ("mixtral:8x7b-instruct-v0.1-q4_0", "mixtral:8x7b"),
        ("Llama3.1:8B", "llama3.1:8b"),
    ],
)
def test_a_model_is_found_by_ollamas_names(name: str, row: str) -> None:
    found = find_known(said_by(name))
    assert found is not None
    assert name_of(found) == row


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("hf.co/bartowski/Meta-Llama-3.1-8B-Instruct-GGUF:Q5_K_M", "llama3.1:8b"),
        ("hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF", "llama3.2:3b"),
        ("hf.co/bartowski/Qwen2.5-Coder-7B-Instruct-GGUF", "qwen2.5:7b"),
        ("hf.co/bartowski/gemma-2-27b-it-GGUF", "gemma2:27b"),
        ("hf.co/TheBloke/Mixtral-8x7B-v0.1-GGUF", "mixtral:8x7b"),
        ("hf.co/unsloth/gpt-oss-20b-GGUF", "gpt-oss:20b"),
        ("phi-3-mini-4k-instruct.q4_k_m.gguf", "phi3:3.8b"),
    ],
)
def test_a_file_is_known_by_the_beginning_of_its_name(name: str, row: str) -> None:
    found = find_alike(said_by(name))
    assert found is not None
    assert name_of(found) == row


@pytest.mark.parametrize(
    "name",
    [
        "hf.co/someone/Llama-3.1-405B-GGUF",
        "hf.co/someone/Mistral-Large-GGUF",
        "hf.co/someone/Qwen3-VL-8B-GGUF",
        "someone/llama3.1:8b",
    ],
)
def test_what_is_called_otherwise_is_not(name: str) -> None:
    assert find_alike(said_by(name)) is None


@pytest.mark.parametrize("name", ["llama3.1:405b", "someone/llama3.1:8b", "house", "mixtral:8x22b"])
def test_another_size_and_another_owner_are_other_models(name: str) -> None:
    assert find_known(said_by(name)) is None
