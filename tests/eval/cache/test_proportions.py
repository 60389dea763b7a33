"""The interval is Clopper's and Pearson's."""

import pytest

from tests.eval.cache.proportions import Share, at_most


@pytest.mark.parametrize(
    ("part", "whole", "least", "most"),
    [
        # R: binom.test(part, whole)$conf.int
        (0, 20, 0.0, 0.1684335),
        (10, 20, 0.2719578, 0.7280422),
        (5, 100, 0.01643188, 0.1128349),
        (100, 100, 0.9637833, 1.0),
        (1, 640, 0.0000395581, 0.008674873),
    ],
)
def test_ends_are_those_of_the_published_tables(
    part: int, whole: int, least: float, most: float
) -> None:
    share = Share(part, whole)
    assert share.least == pytest.approx(least, rel=1e-4, abs=1e-9)
    assert share.most == pytest.approx(most, rel=1e-4)


def test_no_success_has_the_closed_form() -> None:
    assert Share(0, 600).most == pytest.approx(1 - 0.025 ** (1 / 600), rel=1e-9)


def test_nothing_of_nothing_is_nothing_sure() -> None:
    share = Share(0, 0)
    assert (share.value, share.least, share.most) == (0.0, 0.0, 1.0)


def test_tails_of_small_binomials_are_sums() -> None:
    rate = 0.3
    by_hand = 0.7**4 + 4 * 0.3 * 0.7**3
    assert at_most(1, 4, rate) == pytest.approx(by_hand)
    assert at_most(4, 4, rate) == 1.0
    assert at_most(3, 4, 1.0) == 0.0
    assert at_most(0, 4, 0.0) == 1.0


def test_many_tries_do_not_underflow() -> None:
    share = Share(18_000, 36_000)
    assert share.least == pytest.approx(0.4948, abs=1e-4)
    assert share.most == pytest.approx(0.5052, abs=1e-4)


def test_a_share_prints_itself_with_its_interval() -> None:
    assert str(Share(5, 100)).split() == ["5", "of", "100", "5.00", "%", "(1.64", "to", "11.28)"]
