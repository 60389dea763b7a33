"""How many bits a weight takes, by the format's name and by what the tensor is for.

Sizes of blocks: ggml (`ggml-common.h`): a block of 256 weights with its scales, 32 in the older
formats. Which tensor gets which type: llama.cpp (`llama-quant.cpp`, `llama_tensor_get_type`), whose
formats named `_S`, `_M` and `_L` are mixtures. What it does to every third layer and the first and
last eighth is taken as half of the layers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

BITS: Final[Mapping[str, float]] = {
    "F32": 32,
    "F16": 16,
    "BF16": 16,
    "Q8_0": 8.5,
    "Q6_K": 6.5625,
    "Q5_1": 6,
    "Q5_0": 5.5,
    "Q5_K": 5.5,
    "Q4_1": 5,
    "Q4_0": 4.5,
    "Q4_K": 4.5,
    "IQ4_NL": 4.5,
    "IQ4_XS": 4.25,
    "MXFP4": 4.25,
    "Q3_K": 3.4375,
    "IQ3_S": 3.4375,
    "Q2_K": 2.625,
}
"""Of a weight, its share of the block's scales included."""
FALLBACK: Final[Mapping[str, str]] = {
    "Q6_K": "Q8_0",
    "Q5_K": "Q5_1",
    "Q4_K": "Q5_0",
    "Q3_K": "IQ4_NL",
    "Q2_K": "IQ4_NL",
    "IQ4_XS": "IQ4_NL",
    "IQ3_S": "IQ4_NL",
}
"""What a tensor gets whose rows are no multiple of `SUPER_BLOCK`; others are in blocks of 32."""
SUPER_BLOCK: Final = 256


@dataclass(frozen=True, slots=True)
class Share:
    """A type that some of the layers have; the others have the mixture's base."""

    type: str
    of_layers: float = 1.0


@dataclass(frozen=True, slots=True)
class Mixture:
    """The types of a model's tensors; `None` is the base."""

    base: str
    output: str = "Q6_K"
    embedding: str | None = None
    value: Share | None = None
    fused: Share | None = None
    """Of queries, keys and values in one tensor."""
    attention_output: Share | None = None
    attention: Share | None = None
    """Of all attention tensors that the fields above do not name."""
    down: Share | None = None
    """Of the feed-forward block's last matrix."""


_HALF_Q6: Final = Share("Q6_K", 0.5)
_EIGHTH_Q5: Final = Share("Q5_K", 0.125)
_PLAIN: Final = ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q6_K")
MIXTURES: Final[Mapping[str, Mixture]] = {
    **{name: Mixture(name) for name in _PLAIN},
    **{name: Mixture(name, output=name) for name in ("F32", "F16", "BF16", "Q8_0")},
    "Q2_K": Mixture(
        "Q2_K", value=Share("Q4_K"), attention_output=Share("Q3_K"), down=Share("Q3_K")
    ),
    "Q3_K_S": Mixture("Q3_K"),
    "Q3_K_M": Mixture(
        "Q3_K",
        value=Share("Q4_K"),
        fused=Share("Q4_K"),
        attention_output=Share("Q4_K"),
        down=Share("Q4_K"),
    ),
    "Q3_K_L": Mixture(
        "Q3_K",
        value=Share("Q5_K"),
        fused=Share("Q4_K"),
        attention_output=Share("Q5_K"),
        down=Share("Q5_K"),
    ),
    "Q4_K_S": Mixture("Q4_K", value=_EIGHTH_Q5, down=_EIGHTH_Q5),
    "Q4_K_M": Mixture("Q4_K", value=_HALF_Q6, fused=Share("Q5_K"), down=_HALF_Q6),
    "Q5_K_S": Mixture("Q5_K"),
    "Q5_K_M": Mixture("Q5_K", value=_HALF_Q6, fused=Share("Q6_K"), down=_HALF_Q6),
    "IQ3_M": Mixture(
        "IQ3_S",
        value=Share("Q4_K"),
        fused=Share("Q4_K"),
        attention_output=Share("Q4_K"),
        down=Share("Q4_K", 0.125),
    ),
    "IQ4_XS": Mixture("IQ4_XS", value=Share("Q5_K"), down=_EIGHTH_Q5),
    "IQ4_NL": Mixture("IQ4_NL", value=Share("Q5_K"), down=_EIGHTH_Q5),
    "MXFP4": Mixture("MXFP4", output="BF16", embedding="BF16", attention=Share("BF16")),
}
"""By the names of Ollama's tags and of `LLMProvider.spec.ollama.models[].quantisation`."""
_ALIASES: Final[Mapping[str, str]] = {"FP16": "F16", "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M"}


def mixture_named(name: str) -> Mixture | None:
    """`None` for a format that is not known; any case."""
    upper = name.upper()
    return MIXTURES.get(_ALIASES.get(upper, upper))


def bits_of(type_: str, row: int) -> float:
    """Of a weight in a tensor with rows of this length."""
    return BITS[FALLBACK.get(type_, type_) if row % SUPER_BLOCK else type_]
