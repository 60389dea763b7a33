"""Chooses what runs the model."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from penstock_embedder.encoding.encoder import Encoder, Nature
from penstock_embedder.encoding.files import nature_of
from penstock_embedder.encoding.onnx import OnnxEncoder
from penstock_embedder.encoding.sentences import TorchEncoder
from penstock_embedder.errors import ModelMissing, ModelUnfit
from penstock_embedder.settings import Backend

BACKENDS: Final[Mapping[str, Callable[[Path, Nature], Encoder]]] = {
    "onnx": OnnxEncoder,
    "torch": TorchEncoder,
}
"""In the order in which `auto` tries them."""
logger = logging.getLogger(__name__)


def load_encoder(folder: Path, backend: Backend) -> Encoder:
    """Takes a second, and with torch ten. Raises `ModelMissing` where nothing can run it."""
    nature = nature_of(folder)
    reasons = []
    for name in BACKENDS if backend == "auto" else (backend,):
        try:
            encoder = BACKENDS[name](folder, nature)
        except ModelUnfit as unfit:
            reasons.append(f"{name}: {unfit}")
            continue
        logger.info("model.loaded", extra={"backend": name, "model": nature.id})
        return encoder
    msg = (
        f"nothing here can run the model in {folder} ({'; '.join(reasons)}). Install "
        "penstock[embedder] for onnx, sentence-transformers for torch"
    )
    raise ModelMissing(msg)
