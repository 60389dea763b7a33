"""What is there is compared with what is wanted, and not with what others added."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_operator.ollama.workload.comparison import differs

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        ({"a": 1, "b": 2}, {"a": 1}),
        ({"a": {"b": 1, "default": True}}, {"a": {"b": 1}}),
        ([{"name": "x", "default": 1}], [{"name": "x"}]),
        (None, []),
        ([{"name": "x"}], [{"name": "x", "value": ""}]),
        ({}, {"a": {}, "b": []} | {"a": []}),
    ],
)
def test_what_the_server_adds_does_not_count(there: Any, wanted: Any) -> None:
    assert not differs(there, wanted)


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        ({}, {"a": 1}),
        (None, {"a": 1}),
        ({"a": 1}, {"a": 2}),
        ({"a": "b"}, {"a": ""}),
        ({}, {"a": False}),
        ({}, {"a": 0}),
        ([1, 2], [1]),
        ([1], [1, 2]),
        ("ab", ["a", "b"]),
        (["a"], "a"),
        ([], {"a": 1}),
    ],
)
def test_what_lacks_or_is_otherwise_does(there: Any, wanted: Any) -> None:
    assert differs(there, wanted)


@given(documents)
def test_nothing_differs_from_itself(document: Any) -> None:
    assert not differs(document, document)
