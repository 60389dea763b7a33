"""Embedding by onnxruntime: a quarter of torch's memory, and less than half of its time."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from penstock_embedder.encoding.encoder import Nature, Reading
from penstock_embedder.encoding.files import GRAPH, is_exported
from penstock_embedder.encoding.graph import build, check_fit
from penstock_embedder.encoding.tokens import Tokeniser, padded
from penstock_embedder.errors import ModelUnfit

logger = logging.getLogger(__name__)
SILENCE: Final = "ORT_DISABLE_TELEMETRY"
"""Read when the library is loaded: otherwise it would tell its maker of each start."""


class OnnxEncoder:
    """One session that all threads share: it is the weights; each call runs in its own thread."""

    def __init__(self, folder: Path, nature: Nature) -> None:
        """Raises `ModelUnfit` where onnxruntime is missing or the model is none it can run."""
        self.nature: Final = nature
        self._session = _session(folder)
        self._tokeniser = Tokeniser(folder)

    def read(self, texts: Sequence[str]) -> list[Reading]:
        return self._tokeniser.read(texts)

    def embed(self, readings: Sequence[Reading]) -> NDArray[np.float32]:
        ids, mask = padded(readings)
        vectors: NDArray[np.float32] = self._session.run(None, {"ids": ids, "mask": mask})[0]
        return vectors


def _session(folder: Path) -> Any:
    os.environ.setdefault(SILENCE, "1")
    try:
        import onnxruntime
    except ImportError:
        msg = "onnxruntime is not installed"
        raise ModelUnfit(msg) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # 20 MB, and all that the largest batch ever took
    options.log_severity_level = 3
    model = str(folder / GRAPH) if is_exported(folder) else _built(folder)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _built(folder: Path) -> bytes:
    """Takes two seconds, and 300 MiB for that time."""
    check_fit(folder)
    try:
        import onnx  # noqa: F401  # the graph is made of its types
    except ImportError:
        msg = "it is not exported, and the package onnx to make one is not installed"
        raise ModelUnfit(msg) from None
    logger.info("model.built", extra={"instead_of": GRAPH})
    return build(folder)
