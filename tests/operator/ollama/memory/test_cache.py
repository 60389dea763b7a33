"""What is kept of the context."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_operator.api.ollama import OllamaModel
from penstock_operator.ollama.memory.cache import KvType, cache_bytes, elements_at_most
from penstock_operator.ollama.memory.estimate import need_of
from penstock_operator.ollama.memory.known import KnownModel, find_known, known_models
from penstock_operator.ollama.memory.names import said_by
from penstock_operator.ollama.planner.types import Need
from tests.operator.ollama.memory.published import MIB, known


def kept_mib(name: str, tokens: int, parallel: int = 1, kv_cache: KvType = "f16") -> float:
    row = find_known(said_by(name))
    assert row is not None
    return cache_bytes(row.model, tokens, parallel, kv_cache) / MIB


@pytest.mark.parametrize(
    ("name", "tokens", "mib"),
    [
        ("llama3.1:8b", 4096, 512),  # 2 x 32 layers x 8 heads x 128 x 4096 x 2 bytes
        ("llama3.1:70b", 4096, 1280),
        ("llama2:7b", 4096, 2048),  # heads of their own for keys
        ("qwen2.5:7b", 8192, 448),
    ],
)
def test_keys_and_values_of_all_layers_are_kept(name: str, tokens: int, mib: float) -> None:
    assert kept_mib(name, tokens) == mib


def test_requests_at_once_have_a_cache_each() -> None:
    assert kept_mib("llama3.1:8b", 4096, 4) == 4 * kept_mib("llama3.1:8b", 4096)


def test_a_quantised_cache_is_smaller() -> None:
    assert kept_mib("llama3.1:8b", 4096, kv_cache="q8_0") == 272
    assert kept_mib("llama3.1:8b", 4096, kv_cache="q4_0") == 144


def test_a_sliding_window_keeps_no_more_than_it_sees_and_a_batch() -> None:
    """Measured, with a batch of 512: 2560 + 174 MiB (https://github.com/ollama/ollama/pull/17037).
    Ours is for the batch of 2048 that Ollama takes where more memory is free."""
    assert 2734 <= kept_mib("gemma3:4b", 131_072) < 1.1 * 2734
    assert kept_mib("gemma3:4b", 1024) == 34 * 4 * 1024 * 1024 / MIB


def test_latent_attention_keeps_one_short_vector() -> None:
    assert kept_mib("deepseek-r1:671b", 4096) == 61 * 576 * 4096 * 2 / MIB


def test_an_embedding_model_keeps_nothing() -> None:
    assert kept_mib("nomic-embed-text", 2048) == 0


@pytest.mark.parametrize(
    "row", [row for row in known_models() if row.model.generates], ids=lambda row: row.names[0]
)
def test_what_is_unknown_is_bounded_by_more_than_any_known_model_has(row: KnownModel) -> None:
    model = row.model
    has = model.layers * model.kv_heads * model.head_dim
    assert elements_at_most(model.parameters) >= has


@pytest.mark.parametrize(
    ("parameters", "layers", "embedding"),
    [
        (2_780_000_000, 32, 2560),  # Phi-2
        (3_950_000_000, 40, 2560),  # Qwen1.5 4B
        (65_290_000_000, 80, 8192),  # LLaMA 65B
        (72_290_000_000, 80, 8192),  # Qwen1.5 72B
    ],
)
def test_the_bound_holds_where_each_head_has_its_own_keys(
    parameters: int, layers: int, embedding: int
) -> None:
    assert elements_at_most(parameters) >= layers * embedding


@given(
    st.sampled_from(["llama3.1:8b", "gemma2:9b", "house"]),
    st.integers(128, 100_000),
    st.integers(1, 16),
)
def test_more_context_and_more_requests_never_need_less(
    name: str, context: int, parallel: int
) -> None:
    def need(context_length: int, parallel: int) -> Need:
        return known(
            OllamaModel(
                name=name, parameter_count="7B", context_length=context_length, parallel=parallel
            )
        )

    now = need(context, parallel)
    for more in (need(context + 128, parallel), need(context, parallel + 1)):
        assert more.kv_mib >= now.kv_mib
        assert more.overhead_mib >= now.overhead_mib
        assert more.weights_mib == now.weights_mib


def test_no_model_gets_more_context_than_it_was_made_for() -> None:
    found = need_of(OllamaModel(name="tinyllama", context_length=8192))
    assert isinstance(found, Need)
    assert found.context_length == 2048
