"""A fifth of a vector, by which most of a large partition is ruled out without loss.

Vectors are turned so that the first coordinates hold what sets the texts of a partition apart (its
principal axes). Of each, those coordinates are kept and the length of the rest: then for any two

    x . q  <=  x_first . q_first + |x_rest| |q_rest|        (Cauchy-Schwarz)

so that whatever stays below a threshold need not be looked at: the search is exact. Measured at
100,000 vectors: 1.3 ms for 9.6 ms, where none below 0.85 is asked for. Rounding to int8 saves no
time in numpy, which has no product of such matrices (5.8 ms), and sign bits (0.3 ms) prove nothing.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from penstock_embedder.index.vector import Rows, Vector

AXES: Final = 64
SAMPLE_ROWS: Final = 8192
ROUNDING: Final = 1e-5
"""More than float32 loses in such a sum."""


def axes_of(rows: Rows) -> Rows:
    """(d, `AXES`): what these rows differ in most, orthonormal. Takes a tenth of a second."""
    sample = rows[:SAMPLE_ROWS].astype(np.float64)
    _, vectors = np.linalg.eigh(sample.T @ sample)  # from the least to the greatest
    return np.ascontiguousarray(vectors[:, : -AXES - 1 : -1], np.float32)


def sketch_of(rows: Rows, axes: Rows) -> Rows:
    """(n, `AXES` + 1): each row's first coordinates, and the length of its rest."""
    first = rows @ axes
    lengths = np.einsum("ij,ij->i", rows, rows) - np.einsum("ij,ij->i", first, first)
    rest = np.sqrt(np.maximum(lengths, 0))
    return np.concatenate([first, rest[:, None]], axis=1)


def bounds(sketch: Rows, axes: Rows, vector: Vector) -> NDArray[np.float32]:
    """(n,): no row is more similar to the vector than this."""
    asked: Rows = sketch_of(vector[None], axes)[0]
    found: NDArray[np.float32] = sketch @ asked + np.float32(ROUNDING)
    return found
