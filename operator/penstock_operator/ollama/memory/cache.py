"""The key-value cache: what a model keeps of each token of its context.

Two vectors of `kv_heads x head_dim` elements for each token and layer. Layers with a sliding window
keep the window and one batch, as llama.cpp does (`llama-kv-cache-iswa.cpp`); latent attention keeps
one short vector. Sizes of elements: ggml.
"""

import math
from collections.abc import Mapping
from typing import Final, Literal

from penstock_operator.ollama.memory.architecture import Architecture

KvType = Literal["f16", "q8_0", "q4_0"]
"""As Ollama's `OLLAMA_KV_CACHE_TYPE`."""
BYTES: Final[Mapping[KvType, float]] = {"f16": 2.0, "q8_0": 1.0625, "q4_0": 0.5625}
CELLS: Final = 256
"""A window's cache is a multiple of so many tokens."""
BATCHES: Final = ((32_768, 2048), (4096, 1024), (0, 512))
"""With more context than this, of all requests together: the batch."""
EMBEDDING_BATCH: Final = 2048
WIDEST: Final = 24
"""See `elements_at_most`."""


def cache_bytes(model: Architecture, tokens: int, parallel: int, kv_cache: KvType) -> int:
    """For `parallel` requests of so many tokens each."""
    if not model.generates:
        return 0
    per_layer = model.kept_per_layer or 2 * model.kv_heads * model.head_dim
    elements = per_layer * _cells(model, tokens, parallel)
    return round(elements * BYTES[kv_cache])


def _cells(model: Architecture, tokens: int, parallel: int) -> int:
    """Tokens kept, summed over the layers."""
    whole = tokens * parallel
    if model.window is None or model.full_layers is None:
        return model.layers * whole
    window = min(tokens, model.window + batch_tokens(model, tokens, parallel))
    short = parallel * CELLS * math.ceil(window / CELLS)
    return model.full_layers * whole + (model.layers - model.full_layers) * short


def batch_tokens(model: Architecture, tokens: int, parallel: int) -> int:
    """How much of a prompt is worked on at once, at most: as Ollama 0.33 chooses for itself where
    memory is free (`server/sched.go`, `generationBatchForContext`), which we cannot forbid."""
    if not model.generates:
        return min(EMBEDDING_BATCH, tokens)
    return next(batch for least, batch in BATCHES if tokens * parallel > least)


def elements_at_most(parameters: float) -> int:
    """Of one token's keys (or values) over all layers, in a model of which only this is known.

    A model with heads of their own for keys has `layers x embedding` of them; as its parameters are
    about `12 x layers x embedding^2`, that grows as their number to the power of 2/3. Of the models
    that are published, Phi-2 has the most for its size: 2.78e9^(2/3) / 24.1. Models with grouped
    queries have a quarter to an eighth of this bound.
    """
    return round(math.pow(parameters, 2 / 3) / WIDEST)
