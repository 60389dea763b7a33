"""How a model is made, from what was ordered."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock_operator.loader.errors import Unusable
from penstock_operator.loader.recipe import base_of, recipe, stamp, typed
from penstock_operator.ollama.models_file import CreateRequest, ModelOrder


def ordered(**create: str) -> ModelOrder:
    return ModelOrder(name="m", source="modelfile", create=CreateRequest(**create))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([("temperature", "0.5"), ("num_ctx", "8192")], {"temperature": 0.5, "num_ctx": 8192}),
        ([("stop", "A"), ("seed", "1"), ("stop", "B")], {"stop": ["A", "B"], "seed": 1}),
        ([("top_k", "1"), ("top_k", "2")], {"top_k": 1}),
        ([("use_mmap", "false")], {"use_mmap": False}),
        ([("of_tomorrow", "1")], {"of_tomorrow": "1"}),
        ([], {}),
    ],
)
def test_parameters_have_the_types_that_ollama_wants(
    lines: list[tuple[str, str]], said: Mapping[str, object]
) -> None:
    assert typed(lines) == said


def test_a_number_that_is_none_is_named() -> None:
    with pytest.raises(Unusable, match="parameter temperature: 'hot' is no number"):
        typed([("temperature", "hot")])


def test_a_base_is_a_model_and_no_path() -> None:
    assert base_of(ordered(from_="llama3.2")) == "llama3.2"
    assert base_of(ordered(from_="./weights")) is None
    assert base_of(ModelOrder(name="m")) is None


def test_a_directory_of_safetensors_is_taken_with_all_its_parts(tmp_path: Path) -> None:
    lora = tmp_path / "lora"
    lora.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors", "README.md"):
        (lora / name).write_text(name)
    made = recipe(ordered(from_="llama3.2", adapter_path="lora"), tmp_path)
    assert sorted(made.adapters) == ["adapter_config.json", "adapter_model.safetensors"]
    body = made.body({path: f"sha256:{path.name}" for path in made.paths})
    assert body["adapters"] == {
        "adapter_config.json": "sha256:adapter_config.json",
        "adapter_model.safetensors": "sha256:adapter_model.safetensors",
    }


def test_a_stamp_changes_with_the_order_and_with_the_files(tmp_path: Path) -> None:
    path = tmp_path / "w.gguf"
    path.write_bytes(b"GGUF")
    before = stamp(recipe(ordered(gguf_path="w.gguf"), tmp_path))
    assert stamp(recipe(ordered(gguf_path="w.gguf"), tmp_path)) == before
    assert stamp(recipe(ordered(gguf_path="w.gguf", system="Hi."), tmp_path)) != before
    path.write_bytes(b"GGUF2")
    assert stamp(recipe(ordered(gguf_path="w.gguf"), tmp_path)) != before


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (ModelOrder(name="m", source="modelfile"), "without `create`"),
        (ordered(system="Hi."), "neither a model nor a file"),
        (ordered(gguf_path="none.gguf"), "none.gguf: there is no such file"),
    ],
)
def test_an_order_that_cannot_be_made_says_why(
    order: ModelOrder, words: str, tmp_path: Path
) -> None:
    with pytest.raises(Unusable, match=words):
        recipe(order, tmp_path)
