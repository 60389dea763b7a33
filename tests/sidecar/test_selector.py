"""Selectors match as Kubernetes' do."""

from collections.abc import Mapping
from typing import Literal

import pytest

from penstock_config.policy import Requirement, Selector
from penstock_sidecar.selector import matches

LABELS = {"app": "chat", "team": "red"}


def test_an_empty_selector_matches_everything() -> None:
    assert matches(Selector(), {})


@pytest.mark.parametrize(
    ("labels", "expected"),
    [({"app": "chat"}, True), (LABELS, True), ({"app": "other"}, False), ({"absent": "x"}, False)],
)
def test_all_labels_must_be_equal(labels: Mapping[str, str], expected: bool) -> None:
    assert matches(Selector(match_labels=labels), LABELS) is expected


@pytest.mark.parametrize(
    ("operator", "key", "expected"),
    [
        ("In", "app", True),
        ("In", "absent", False),
        ("NotIn", "app", False),
        ("NotIn", "absent", True),
        ("Exists", "app", True),
        ("Exists", "absent", False),
        ("DoesNotExist", "app", False),
        ("DoesNotExist", "absent", True),
    ],
)
def test_expressions_hold_as_in_kubernetes(
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"], key: str, expected: bool
) -> None:
    line = Requirement(key=key, operator=operator, values=("chat", "mail"))
    assert matches(Selector(match_expressions=(line,)), LABELS) is expected
