"""The shape of a model of which only the number of parameters is known: a guess that errs upwards.

It is Llama 3.1 8B, made wider and deeper by the cube root of the ratio of parameters, with the same
vocabulary (at most a quarter of the parameters). Only its cache is not scaled: that is the upper
bound of `cache.elements_at_most`, as models of one size differ by a factor of eight there.
"""

from typing import Final

from penstock_operator.ollama.memory.architecture import Architecture
from penstock_operator.ollama.memory.cache import elements_at_most
from penstock_operator.ollama.memory.quantisation import SUPER_BLOCK

REFERENCE: Final = Architecture(
    parameters=8_030_261_248,
    layers=32,
    embedding=4096,
    feed_forward=14336,
    heads=32,
    kv_heads=8,
    head_dim=128,
    vocabulary=128_256,
    context_max=10_000_000,
    tied=True,
)
"""https://huggingface.co/meta-llama/Llama-3.1-8B/blob/main/config.json, but for `context_max`
(unknown models are given what is asked for) and `tied` (what that saves is a thousandth)."""
_MOST_VOCABULARY: Final = 4


def scaled(parameters: int) -> Architecture:
    """Rows are multiples of a block: what is not is rare, and named in the table."""
    ratio = (parameters / REFERENCE.parameters) ** (1 / 3)
    blocks = max(1, round(REFERENCE.embedding * ratio / SUPER_BLOCK))
    layers = max(1, round(REFERENCE.layers * ratio))
    embedding = blocks * SUPER_BLOCK
    forward = blocks * REFERENCE.feed_forward // REFERENCE.embedding * SUPER_BLOCK
    return Architecture(
        parameters=parameters,
        layers=layers,
        embedding=embedding,
        feed_forward=forward,
        heads=blocks * 2,
        kv_heads=max(1, blocks // 2),
        head_dim=REFERENCE.head_dim,
        vocabulary=min(REFERENCE.vocabulary, parameters // _MOST_VOCABULARY // embedding),
        context_max=REFERENCE.context_max,
        tied=True,
        kept_per_layer=2 * elements_at_most(parameters) // layers + 1,
    )
