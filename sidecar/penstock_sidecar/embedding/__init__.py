"""The way to the embedder, which finds questions that mean the same."""

from penstock_sidecar.embedding.build import open_embedder
from penstock_sidecar.embedding.client import EmbedderClient

__all__ = ["EmbedderClient", "open_embedder"]
