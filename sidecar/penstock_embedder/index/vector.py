"""Vectors, as all of the embedder has them."""

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
"""(d,), of unit length."""
Rows = NDArray[np.float32]
"""(n, d)."""


def as_kept(vector: Vector) -> Vector:
    """Rounded as it lies in Redis (fp16), so that all embedders decide alike."""
    return vector.astype("<f2").astype(np.float32)
