"""What the evaluation's requests are to the sidecar's own first two levels."""

from collections import Counter

import pytest

from tests.eval.cache.levels import Name, Names
from tests.eval.cache.natural import excerpt
from tests.eval.cache.pairs import pairs
from tests.eval.cache.trace import EXCERPT_REQUESTS, trace


@pytest.fixture(scope="module")
def names() -> Names:
    return Names()


def test_no_pair_is_one_request_to_the_first_two_levels(names: Names) -> None:
    """At any similarity, guard or none: courtesy, accents, case, signs that carry meaning stay."""
    same = [p.number for p in pairs() if names.of(p.first).shared == names.of(p.second).shared]
    assert same == []


def test_a_name_is_the_same_each_time_and_tells_levels_apart(names: Names) -> None:
    one, again, spelled = (
        names.of(text) for text in ("Is it open?", "Is it open?", "Is it  open?")
    )
    assert one == again == Name(one.exact, one.shared)
    assert (one.exact == spelled.exact, one.shared == spelled.shared) == (False, True)


def test_repeats_are_found_by_their_names(names: Names) -> None:
    asked = [a for a in trace(excerpt(), EXCERPT_REQUESTS).second_day if a.kind != "novel"]
    found = Counter(
        each.kind
        for each in asked
        if names.of(each.text).shared == names.of(each.query.text).shared
    )
    kinds = Counter(each.kind for each in asked)
    assert found["exact"] == kinds["exact"]
    assert 0 < found["spelling"] <= kinds["spelling"]
