"""What a sketch says is never too little."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from penstock_embedder.index.sketch import AXES, axes_of, bounds, sketch_of
from tests.embedder.index.test_search import clustered


@given(seed=st.integers(0, 2**32 - 1), other=st.integers(0, 2**32 - 1))
def test_no_vector_is_closer_than_its_bound(seed: int, other: int) -> None:
    """Also where the axes were made from other vectors."""
    rows, asked = clustered(50, seed), clustered(3, other)
    axes = axes_of(clustered(200, other))
    sketch = sketch_of(rows, axes)
    assert sketch.shape == (50, AXES + 1)
    for vector in [*asked, rows[0]]:
        exact = rows.astype(np.float64) @ vector.astype(np.float64)
        assert (bounds(sketch, axes, vector) >= exact).all()
