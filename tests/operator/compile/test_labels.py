"""Selectors select what Kubernetes' selectors would."""

import pytest

from penstock_config.policy import Selector
from penstock_operator.api.reference import LabelSelector
from penstock_operator.compile.labels import keys_of, selector_of, selects

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
