"""What a model of `spec.ollama.models` needs: by its author, the table, or the formula."""

from dataclasses import dataclass
from typing import Final, Literal

from penstock_operator.api.ollama import OllamaModel
from penstock_operator.ollama.memory.architecture import Architecture
from penstock_operator.ollama.memory.buffers import RESERVE_MIB, buffer_bytes
from penstock_operator.ollama.memory.cache import KvType, cache_bytes
from penstock_operator.ollama.memory.known import find_alike, find_known
from penstock_operator.ollama.memory.names import SaidByName, parameters_of, said_by
from penstock_operator.ollama.memory.quantisation import MIXTURES, Mixture, mixture_named
from penstock_operator.ollama.memory.scaled import scaled
from penstock_operator.ollama.memory.weights import BITS_PER_BYTE, weights_bytes
from penstock_operator.ollama.planner.types import Need

BYTES_PER_MIB: Final = 1024 * 1024
DEFAULT_QUANTISATION: Final = "Q4_K_M"
"""What Ollama's library gives for a name without one, since 2024."""
ADAPTER_MIB: Final = 256
"""A guess: a LoRA of rank 16 to 64 of a model of 8B has 80 to 320 MiB in F16."""
NO_SIZE: Final = (
    "says nothing of its size, and is no model of the table: set parameterCount (such as 8B), or"
    " sizeMiB"
)
NO_FORMAT: Final = "is no format of which the size is known: set sizeMiB, or one of {}"


@dataclass(frozen=True, slots=True)
class _Shape:
    model: Architecture
    quantisation: str
    source: Literal["table", "formula"]


def need_of(model: OllamaModel, *, kv_cache: KvType = "f16") -> Need | str:
    """Of a model with what it gets of its server (`one_server.as_served`). Text: why it cannot be
    known, and which field to set, as the rest of a sentence about it."""
    shape = _shape_of(model)
    if shape is None:
        return NO_SIZE
    mixture = mixture_named(shape.quantisation)
    if mixture is None and model.size_mib is None:
        return f"{shape.quantisation} " + NO_FORMAT.format(", ".join(sorted(MIXTURES)))
    weights = model.size_mib or _weights_mib(model, shape.model, mixture)
    return _need(model, shape, weights, kv_cache)


def _need(model: OllamaModel, shape: _Shape, weights_mib: int, kv_cache: KvType) -> Need:
    tokens = min(model.context_length, shape.model.context_max)
    return Need(
        model=model.name,
        weights_mib=weights_mib,
        kv_mib=_mib(cache_bytes(shape.model, tokens, model.parallel, kv_cache)),
        overhead_mib=RESERVE_MIB + _mib(buffer_bytes(shape.model, tokens, model.parallel)),
        parallel=model.parallel,
        context_length=tokens,
        source="said" if model.size_mib is not None else shape.source,
    )


def _weights_mib(model: OllamaModel, shape: Architecture, mixture: Mixture | None) -> int:
    if mixture is None:  # said before, as the format is not known
        return 0
    adapter = model.modelfile.adapter if model.modelfile else None
    return _mib(weights_bytes(shape, mixture)) + (ADAPTER_MIB if adapter else 0)


def _shape_of(model: OllamaModel) -> _Shape | None:
    for said in _names_of(model):
        if known := find_known(said):
            format_ = model.quantisation or said.quantisation or known.quantisation
            return _Shape(known.model, format_, "table")
    formats = (said.quantisation for said in _names_of(model))
    format_ = model.quantisation or next(filter(None, formats), DEFAULT_QUANTISATION)
    for said in _names_of(model):
        if alike := find_alike(said):
            return _Shape(alike.model, format_, "table")
    parameters = _parameters_of(model, format_)
    return None if parameters is None else _Shape(scaled(parameters), format_, "formula")


def _names_of(model: OllamaModel) -> tuple[SaidByName, ...]:
    """Of what its weights are: a model made from another has the other's."""
    if model.source == "modelfile" and model.modelfile:
        return said_by(model.modelfile.from_), said_by(model.name)
    if model.source == "gguf" and model.gguf:
        return said_by(model.name), said_by(model.gguf.path.rsplit("/", 1)[-1])
    return (said_by(model.name),)


def _parameters_of(model: OllamaModel, quantisation: str) -> int | None:
    if model.parameter_count is not None:
        return parameters_of(model.parameter_count)
    sizes = (said.parameters for said in _names_of(model))
    if parameters := next(filter(None, sizes), None):
        return parameters
    return None if model.size_mib is None else _that_would_take(model.size_mib, quantisation)


def _that_would_take(size_mib: int, quantisation: str) -> int:
    """Parameters of weights of this size: too many rather than too few, by the format's base."""
    mixture = mixture_named(quantisation) or MIXTURES[DEFAULT_QUANTISATION]
    bits_per_million = weights_bytes(scaled(10**9), mixture) * BITS_PER_BYTE / 10**9
    return round(size_mib * BYTES_PER_MIB * BITS_PER_BYTE / bits_per_million)


def _mib(size_bytes: int) -> int:
    """Rounded up."""
    return -(-size_bytes // BYTES_PER_MIB)
