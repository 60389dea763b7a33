"""Who is believed: the author, then the table, then the formula."""

from typing import Any

import pytest

from penstock_operator.api.ollama import OllamaModel
from penstock_operator.ollama.memory.estimate import ADAPTER_MIB, need_of
from tests.operator.ollama.memory.published import known


def model(name: str = "house", **fields: Any) -> OllamaModel:
    return OllamaModel.model_validate({"name": name, **fields})


def made_from(base: str, **fields: Any) -> OllamaModel:
    return model(source="modelfile", modelfile={"from": base, **fields})


def test_a_size_that_is_said_is_believed_and_the_cache_is_the_tables() -> None:
    said = known(model("llama3.1:8b", sizeMiB=9000))
    listed = known(model("llama3.1:8b"))
    assert (said.weights_mib, said.source) == (9000, "said")
    assert (said.kv_mib, said.overhead_mib) == (listed.kv_mib, listed.overhead_mib)


def test_the_table_is_believed_before_the_formula() -> None:
    need = known(model("llama3.1:8b", parameterCount="70B"))
    assert need.source == "table"
    assert need == known(model("llama3.1:8b"))


def test_a_format_that_is_said_wins_over_the_tags_and_that_over_the_tables() -> None:
    tag, said = "llama3.1:8b-instruct-q8_0", "Q4_0"
    weights = [
        known(each).weights_mib
        for each in (model(tag, quantisation=said), model("llama3.1:8b"), model(tag))
    ]
    assert weights == sorted(weights)
    assert len(set(weights)) == 3


def test_a_name_may_say_enough_for_the_formula() -> None:
    need = known(model("foo:13b-q5_K_M"))
    assert need.source == "formula"
    assert need.weights_mib == known(model(parameterCount="13B", quantisation="Q5_K_M")).weights_mib


def test_what_is_said_counts_more_than_the_name() -> None:
    assert known(model("foo:13b", parameterCount="7B")) == known(
        model("foo:13b", parameterCount="7.0B")
    )
    assert known(model("foo:13b", parameterCount="7B")).weights_mib < 5000


def test_a_model_made_from_another_has_its_weights() -> None:
    base, made = known(model("llama3.1:8b")), known(made_from("llama3.1:8b"))
    assert (made.weights_mib, made.kv_mib, made.source) == (base.weights_mib, base.kv_mib, "table")


def test_an_adapter_lies_beside_them() -> None:
    adapted = known(made_from("llama3.1:8b", adapter="/models/lora.gguf"))
    assert adapted.weights_mib == known(model("llama3.1:8b")).weights_mib + ADAPTER_MIB


def test_a_file_may_say_it_by_its_name() -> None:
    file = {"claimName": "models", "path": "tuned/foo-13b.Q5_K_M.gguf"}
    need = known(model(source="gguf", gguf=file))
    assert need.weights_mib == known(model("foo:13b-q5_K_M")).weights_mib


def test_a_file_of_a_known_model_has_its_shape_and_its_own_format() -> None:
    listed = known(model("gemma2:9b", quantisation="Q5_K_M"))
    file = known(model("hf.co/bartowski/gemma-2-9b-it-GGUF:Q5_K_M"))
    assert (file.weights_mib, file.kv_mib, file.source) == (
        listed.weights_mib,
        listed.kv_mib,
        "table",
    )
    bare = known(model("hf.co/bartowski/gemma-2-9b-it-GGUF"))
    assert bare.weights_mib == known(model("gemma2:9b", quantisation="Q4_K_M")).weights_mib


@pytest.mark.parametrize("size_mib", [300, 4700, 40_000])
def test_of_a_size_alone_the_cache_is_bounded_by_the_parameters_that_would_fill_it(
    size_mib: int,
) -> None:
    need = known(model(sizeMiB=size_mib))
    assert need.weights_mib == size_mib
    back = known(model(parameterCount=f"{size_mib * 1048576 * 8 / 4.95 / 1e6:.0f}M"))
    assert need.kv_mib == pytest.approx(back.kv_mib, rel=0.1)


@pytest.mark.parametrize("name", ["house", "mixtral:8x22b", "house:latest"])
def test_what_nobody_knows_is_text_that_names_the_fields(name: str) -> None:
    why = need_of(model(name))
    assert isinstance(why, str)
    assert "parameterCount" in why
    assert "sizeMiB" in why


def test_a_format_that_nobody_knows_needs_the_size() -> None:
    why = need_of(model("llama3.1:8b", quantisation="EXL2"))
    assert isinstance(why, str)
    assert "sizeMiB" in why
    assert "Q4_K_M" in why
    assert known(model("llama3.1:8b", quantisation="EXL2", sizeMiB=4000)).weights_mib == 4000


@pytest.mark.parametrize("millions", [1, 20, 135, 500, 7000, 70_000, 99_999])
def test_the_formula_answers_for_every_size(millions: int) -> None:
    need = known(model(parameterCount=f"{millions}M", quantisation="Q4_K_M"))
    bits = need.weights_mib * 1048576 * 8 / (millions * 10**6)
    assert 4.5 <= bits < 7 or millions < 20
