"""Embedding by sentence-transformers on torch: any model it knows. The only module with torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from penstock_embedder.encoding.encoder import Nature, Reading
from penstock_embedder.encoding.files import is_exported
from penstock_embedder.encoding.tokens import Tokeniser, padded
from penstock_embedder.errors import ModelUnfit


class TorchEncoder:
    """The model's own modules; its own `encode` would sort and tokenise once more."""

    def __init__(self, folder: Path, nature: Nature) -> None:
        """Raises `ModelUnfit` where sentence-transformers is missing. Takes seconds."""
        if is_exported(folder):
            msg = "it is exported, for onnxruntime alone"
            raise ModelUnfit(msg)
        try:
            import torch
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            msg = f"{error.name or 'sentence-transformers'} is not installed"
            raise ModelUnfit(msg) from None
        torch.set_num_threads(1)
        self.nature: Final = nature
        self._torch: Any = torch
        self._model: Any = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        self._tokeniser = Tokeniser(folder)

    def read(self, texts: Sequence[str]) -> list[Reading]:
        return self._tokeniser.read(texts)

    def embed(self, readings: Sequence[Reading]) -> NDArray[np.float32]:
        ids, mask = (self._torch.from_numpy(each) for each in padded(readings))
        with self._torch.inference_mode():
            out = self._model({"input_ids": ids, "attention_mask": mask})
        vectors: NDArray[np.float32] = out["sentence_embedding"].numpy()
        return vectors
