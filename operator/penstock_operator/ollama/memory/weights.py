"""The size of a model's weights: its tensors, each by the type that the format gives it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from penstock_operator.ollama.memory.architecture import Architecture
from penstock_operator.ollama.memory.quantisation import BITS, Mixture, Share, bits_of

BITS_PER_BYTE: Final = 8


@dataclass(frozen=True, slots=True)
class _Part:
    """All layers' tensors of one kind."""

    parameters: int
    row: int
    share: Share | None


def weights_bytes(model: Architecture, mixture: Mixture) -> int:
    """As they lie in the file, which is as they lie in memory."""
    vocabulary = model.vocabulary * model.embedding
    outputs = vocabulary * bits_of(mixture.output, model.embedding)
    embeddings = 0.0
    if not model.tied:
        embeddings = vocabulary * bits_of(mixture.embedding or mixture.base, model.embedding)
    body = model.parameters - vocabulary * (1 if model.tied else 2)
    bits = outputs + embeddings + body * _bits_in_layers(model, mixture)
    return round((bits + model.projector_parameters * BITS["F16"]) / BITS_PER_BYTE)


def parameters_in_layers(model: Architecture) -> int:
    """Of the matrices; norms and biases are some thousandths more."""
    return sum(part.parameters for part in _parts(model, None))


def _bits_in_layers(model: Architecture, mixture: Mixture) -> float:
    """The mean over all layers, for small tensors too, which are too few to tell."""
    parts = tuple(_parts(model, mixture))
    bits = sum(part.parameters * _bits(part, mixture.base) for part in parts)
    return bits / sum(part.parameters for part in parts)


def _bits(part: _Part, base: str) -> float:
    plain = bits_of(base, part.row)
    if part.share is None:
        return plain
    mixed = bits_of(part.share.type, part.row)
    return part.share.of_layers * mixed + (1 - part.share.of_layers) * plain


def _parts(model: Architecture, mixture: Mixture | None) -> Iterator[_Part]:
    mix = mixture or Mixture("F16")
    wide, narrow = model.heads * model.head_dim, model.kv_heads * model.head_dim
    into, n = model.embedding, model.layers
    if model.fused:
        yield _Part(n * into * (wide + 2 * narrow), into, mix.fused or mix.attention)
    else:
        yield _Part(n * into * (wide + narrow), into, mix.attention)
        yield _Part(n * into * narrow, into, mix.value or mix.attention)
    yield _Part(n * wide * into, wide, mix.attention_output or mix.attention)
    forward = n * into * model.feed_forward * model.experts
    yield _Part(forward * (2 if model.gated else 1), into, None)
    yield _Part(forward, model.feed_forward, mix.down)
