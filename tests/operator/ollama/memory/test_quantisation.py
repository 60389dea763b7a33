"""Formats."""

import pytest

from penstock_operator.ollama.memory.known import find_known
from penstock_operator.ollama.memory.names import said_by
from penstock_operator.ollama.memory.quantisation import BITS, MIXTURES, bits_of, mixture_named
from penstock_operator.ollama.memory.weights import weights_bytes


@pytest.mark.parametrize("name", ["q4_k_m", "Q4_K_M", "Q4_K"])
def test_a_format_has_one_mixture_whatever_its_spelling(name: str) -> None:
    assert mixture_named(name) is MIXTURES["Q4_K_M"]


def test_rows_that_do_not_fill_a_block_get_a_larger_type() -> None:
    assert bits_of("Q4_K", 4096) == 4.5
    assert bits_of("Q4_K", 896) == 5.5
    assert bits_of("Q8_0", 896) == 8.5


REPORTED = {
    "Q3_K_S": (3.50, 3.47),
    "Q3_K_M": (3.91, 3.85),
    "Q3_K_L": (4.27, 4.19),
    "Q4_K_S": (4.58, 4.53),
    "Q4_K_M": (4.84, 4.80),
    "Q5_K_S": (5.52, 5.50),
    "Q5_K_M": (5.68, 5.65),
    "Q6_K": (6.56, 6.56),
}
"""Bits per weight of Llama 2 7B and 70B, by llama.cpp's own page (`examples/quantize/README.md` of
https://github.com/ggerganov/llama.cpp/blob/b8c1476e44cc1f3a1811613f65251cf779067636)."""


@pytest.mark.parametrize("format_", REPORTED)
def test_a_mixture_has_the_bits_that_llama_cpp_reports(format_: str) -> None:
    mixture = mixture_named(format_)
    assert mixture is not None
    for name, bits in zip(("llama2:7b", "llama2:70b"), REPORTED[format_], strict=True):
        row = find_known(said_by(name))
        assert row is not None
        found = weights_bytes(row.model, mixture) * 8 / row.model.parameters
        assert found == pytest.approx(bits, rel=0.01)


def test_every_type_of_every_mixture_is_known() -> None:
    for mixture in MIXTURES.values():
        shares = (mixture.value, mixture.fused, mixture.attention_output, mixture.down)
        types = {mixture.base, mixture.output, *(share.type for share in shares if share)}
        assert types <= set(BITS)
