"""How near texts are to each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.ensemble.similarity import lexical, of_vectors, support

TEXTS = st.lists(st.text(min_size=1), min_size=1, max_size=5)
VECTORS = st.lists(
    st.lists(st.floats(-1e3, 1e3, allow_subnormal=False), min_size=3, max_size=3),
    min_size=1,
    max_size=5,
)


@given(TEXTS)
def test_nearness_is_symmetric_and_from_0_to_1(texts: list[str]) -> None:
    near = lexical(texts)
    for i, row in enumerate(near):
        assert row[i] == 1
        assert all(0 <= value <= 1 for value in row)
        assert row == tuple(other[i] for other in near)


@given(VECTORS)
def test_so_is_that_of_vectors(vectors: list[list[float]]) -> None:
    near = of_vectors(vectors)
    assert near == tuple(zip(*near, strict=True))
    assert all(0 <= value <= 1 for row in near for value in row)


@given(st.text(min_size=1))
def test_case_and_white_space_do_not_matter(text: str) -> None:
    near = lexical([text, f"  {text}\n"])
    assert near[0][1] == pytest.approx(1)


def test_what_shares_words_is_nearer_than_what_does_not() -> None:
    near = lexical(
        ["The cat sat on the mat.", "A cat sat upon the mat.", "Quarterly revenue fell by 3%."]
    )
    assert near[0][1] > 0.6
    assert near[0][2] < 0.2


def test_other_scripts_are_texts_too() -> None:
    near = lexical(["東京は日本の首都です", "日本の首都は東京です", "今日は天気がいいですね"])
    assert near[0][1] > near[0][2]


def test_vectors_are_compared_by_direction() -> None:
    near = of_vectors([[1, 0], [3, 0], [0, 1], [-1, 0], [0, 0]])
    assert near[0] == (1, 1, 0, 0, 0)
    assert near[4] == (0, 0, 0, 0, 1)


def test_support_is_the_mean_nearness_to_the_others() -> None:
    near = ((1.0, 0.5, 0.1), (0.5, 1.0, 0.3), (0.1, 0.3, 1.0))
    assert support(near) == pytest.approx((0.3, 0.4, 0.2))
    assert support(((1.0,),)) == (0,), "an answer that is alone agrees with nobody"
