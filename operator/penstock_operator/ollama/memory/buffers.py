"""What a model takes beside weights and cache, on each GPU that it lies on.

`RESERVE_MIB`: the CUDA context and the libraries' kernels; 457 MiB is what Ollama set aside for
them (`cudaMinimumMemory`, its `discover` package until 0.12). `buffer_bytes`: Ollama's formula for
a whole offload (`fs/ggml`, `GraphSize`) with flash attention, which needs no matrix of all heads by
the whole context, but a mask of it in F32 and F16.
"""

from typing import Final

from penstock_operator.ollama.memory.architecture import Architecture
from penstock_operator.ollama.memory.cache import BATCH_TOKENS

RESERVE_MIB: Final = 457
_FLOAT_BYTES: Final = 4
_MASK_BYTES: Final = 4 + 2


def buffer_bytes(model: Architecture, tokens: int, parallel: int) -> int:
    """Of the computation of one batch."""
    layer = max(5 * model.embedding, model.embedding + 3 * model.feed_forward)
    logits = model.embedding + model.vocabulary
    cells = tokens * parallel if model.generates else 0
    per_token = _FLOAT_BYTES * max(layer, logits) + _MASK_BYTES * cells
    return BATCH_TOKENS * per_token
