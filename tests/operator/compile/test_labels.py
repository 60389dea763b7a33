"""Selectors select what Kubernetes' selectors would."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_config.policy import Requirement, Selector
from penstock_operator.api.reference import LabelSelector
from penstock_operator.compile.labels import keys_of, may_meet, selector_of, selects
from tests.operator.compile.steady import few

LABELS = {"app": "shop", "track": "stable"}


def read(**selector: object) -> Selector:
    return selector_of(LabelSelector.model_validate(selector))


def test_none_and_an_empty_selector_select_everything() -> None:
    assert selects(selector_of(None), {})
    assert selects(read(), LABELS)


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        ({"key": "app", "operator": "In", "values": ["shop", "blog"]}, True),
        ({"key": "app", "operator": "In", "values": ["blog"]}, False),
        ({"key": "zone", "operator": "In", "values": ["a"]}, False),
        ({"key": "app", "operator": "NotIn", "values": ["shop"]}, False),
        ({"key": "zone", "operator": "NotIn", "values": ["a"]}, True),
        ({"key": "app", "operator": "Exists"}, True),
        ({"key": "zone", "operator": "Exists"}, False),
        ({"key": "zone", "operator": "DoesNotExist"}, True),
        ({"key": "app", "operator": "DoesNotExist"}, False),
    ],
)
def test_each_operator(line: dict[str, object], *, holds: bool) -> None:
    assert selects(read(matchExpressions=[line]), LABELS) is holds


def test_all_lines_must_hold() -> None:
    line = {"key": "track", "operator": "In", "values": ["stable"]}
    assert selects(read(matchLabels={"app": "shop"}, matchExpressions=[line]), LABELS)
    assert not selects(read(matchLabels={"app": "blog"}, matchExpressions=[line]), LABELS)


def test_the_order_of_what_was_written_does_not_matter() -> None:
    one = read(matchExpressions=[{"key": "a", "operator": "In", "values": ["x", "y"]}])
    two = read(matchExpressions=[{"key": "a", "operator": "In", "values": ["y", "x"]}])
    assert one == two
    assert keys_of(one) == {"a"}


KEYS, VALUES = ("app", "team"), ("x", "y")
LINES = st.builds(
    lambda key, operator, values: Requirement(
        key=key, operator=operator, values=tuple(sorted(values)) if "In" in operator else ()
    ),
    st.sampled_from(KEYS),
    st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
    st.sets(st.sampled_from(VALUES), min_size=1),
)
SELECTORS = st.builds(
    Selector,
    match_labels=st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES)),
    match_expressions=st.lists(LINES, max_size=3).map(tuple),
)
PODS = [
    {key: value for key, value in zip(KEYS, values, strict=True) if value}
    for values in product((*VALUES, "another", None), repeat=len(KEYS))
]
"""Every pod there can be, to selectors of these keys and values."""


@few
@given(SELECTORS, SELECTORS)
def test_two_selectors_may_meet_where_some_pod_satisfies_both(one: Selector, two: Selector) -> None:
    meeting = any(selects(one, pod) and selects(two, pod) for pod in PODS)
    assert may_meet(one, two) is meeting
