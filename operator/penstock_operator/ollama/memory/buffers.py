"""What a model takes beside weights and cache, on each GPU that it lies on.

`RESERVE_MIB`: the CUDA context and the libraries' kernels; 457 MiB is what Ollama set aside for
them (`cudaMinimumMemory`, its `discover` package until 0.12).

`buffer_bytes`, with flash attention, which Ollama takes wherever the GPU can: the widest layer of a
batch, or its logits, which versions before 0.30 compute for the whole of a batch of 512 (Ollama's
formula, `fs/ggml`, `GraphSize`: `4 * batch * (embedding + vocab)`); and a mask of the batch by the
whole context in F16. An upper bound: newer versions compute fewer logits at once.
"""

from typing import Final

from penstock_operator.ollama.memory.architecture import Architecture
from penstock_operator.ollama.memory.cache import batch_tokens

RESERVE_MIB: Final = 457
LOGITS_BATCH: Final = 512
_FLOAT_BYTES: Final = 4
_MASK_BYTES: Final = 2


def buffer_bytes(model: Architecture, tokens: int, parallel: int) -> int:
    """Of the computation of one batch."""
    batch = batch_tokens(model, tokens, parallel)
    widest = max(5 * model.embedding, model.embedding + 3 * model.feed_forward)
    layer = _FLOAT_BYTES * batch * widest
    if not model.generates:
        return layer
    logits = _FLOAT_BYTES * LOGITS_BATCH * (model.embedding + model.vocabulary)
    return max(layer, logits) + _MASK_BYTES * batch * tokens * parallel
