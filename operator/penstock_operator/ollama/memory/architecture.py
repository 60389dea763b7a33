"""What a model is built of, as far as its memory depends on it. Data alone.

The numbers are those of the model's `config.json`, under the names that GGUF gives them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Architecture:
    """A model's shape. Lengths are in elements, not in bytes."""

    parameters: int
    """All of the language model's, embeddings too; of its projector not."""
    layers: int
    embedding: int
    """Width of a layer's input."""
    feed_forward: int
    """Of one expert, where there are several."""
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    context_max: int
    """Tokens; Ollama gives no request more."""
    tied: bool = False
    """Whether the output tensor is the embedding's, so that it is there once."""
    gated: bool = True
    """Whether a feed-forward block has three matrices (SwiGLU, GeGLU), or two."""
    fused: bool = False
    """Whether queries, keys and values are one tensor."""
    experts: int = 1
    """Feed-forward blocks in each layer, of which a token passes through some."""
    projector_parameters: int = 0
    """Of what turns images into tokens; kept as F16."""
    window: int | None = None
    """Tokens that layers with a sliding window look back."""
    full_layers: int | None = None
    """With `window`: how many layers have none."""
    kept_per_layer: int | None = None
    """What is kept of a token in each layer, keys and values, where it is not two vectors for each
    of `kv_heads`: with multi-head latent attention."""
    generates: bool = True
    """False for embedding models: they keep nothing of a token."""
