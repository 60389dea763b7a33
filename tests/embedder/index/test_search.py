"""The search is exact: with and without sketches it finds what a look at every vector finds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_embedder.index.partition import FIRST_ROWS, Partition
from penstock_embedder.index.search import nearest
from penstock_embedder.index.sketch import bounds
from penstock_embedder.index.vector import Rows

DIMENSION = 96
NOW = 1_000
LATER = 2_000


def clustered(number: int, seed: int) -> Rows:
    """Unit vectors around a few centres, as texts are; some of them all but equal."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((5, DIMENSION))
    spread = random.choice([0.01, 0.3, 1.0], (number, 1))
    rows = centres[random.integers(0, 5, number)] + spread * random.standard_normal(
        (number, DIMENSION)
    )
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def filled(rows: Rows, *, sketched: bool) -> Partition:
    partition = Partition(DIMENSION, 1 if sketched else 10**9)
    for number, row in enumerate(rows):
        partition.put(f"a:{number}", row, LATER)
    if sketched:
        partition.sketch()
        assert any(span.sketch is not None for span in partition.view())
    return partition


@pytest.mark.parametrize("sketched", [False, True])
@given(
    number=st.integers(FIRST_ROWS, 9 * FIRST_ROWS),
    seed=st.integers(0, 2**32 - 1),
    k=st.sampled_from([1, 4, 64]),
    least=st.sampled_from([-1.0, 0.0, 0.5, 0.9, 0.95, 0.999]),
)
def test_it_finds_what_a_look_at_each_vector_finds(
    number: int, seed: int, k: int, least: float, *, sketched: bool
) -> None:
    rows = clustered(number, seed)
    partition = filled(rows, sketched=sketched)
    asked = clustered(1, seed + 1)[0] if seed % 2 else rows[seed % number]
    found = nearest(partition.view(), asked, k, least, NOW)
    exact = rows.astype(np.float64) @ asked.astype(np.float64)
    expected = np.sort(exact[exact >= least])[::-1][:k]
    assert [each.similarity for each in found] == pytest.approx(list(expected), abs=1e-5)
    for each in found:
        assert each.similarity == pytest.approx(exact[int(each.name[2:])], abs=1e-5)


@pytest.mark.parametrize("sketched", [False, True])
def test_what_has_expired_is_not_found(*, sketched: bool) -> None:
    rows = clustered(FIRST_ROWS, 1)
    view = filled(rows, sketched=sketched).view()
    assert nearest(view, rows[3], 1, 0.99, LATER - 1)[0].name == "a:3"
    assert nearest(view, rows[3], 1, 0.99, LATER) == []


def test_a_sketch_rules_out_most_of_what_is_not_close() -> None:
    """Else it would be of no use, and nobody would notice."""
    rows = clustered(8 * FIRST_ROWS, 7)
    partition = filled(rows, sketched=True)
    looked_at = 0
    for span in partition.view():
        assert span.sketch is not None
        assert span.axes is not None
        looked_at += int((bounds(span.sketch, span.axes, rows[0]) >= 0.9).sum())
    assert looked_at < len(rows) / 3
