"""Answers that are passed on are read but for their numbers."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock_sidecar.dialects.embeddings.openai import read_answer
from penstock_sidecar.dialects.embeddings.skim import SHORT_BYTES, parse_without_numbers
from penstock_sidecar.dialects.events import Counted, Vector
from penstock_sidecar.model import Usage

steady = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
NUMBERS = [0.123456789, -1e-05, 7]
LONG = " " * SHORT_BYTES
"""White space that makes any answer a long one."""


def long(document: object, **layout: Any) -> bytes:
    return (json.dumps(document, **layout) + LONG).encode()


def test_each_list_of_numbers_becomes_a_zero() -> None:
    document = {"embeddings": [NUMBERS, NUMBERS, []], "prompt_eval_count": 3, "names": ["a", {}]}
    assert parse_without_numbers(long(document, indent=2)) == {
        "embeddings": [[0], [0], []],
        "prompt_eval_count": 3,
        "names": ["a", {}],
    }


def test_a_short_answer_is_read_whole() -> None:
    assert parse_without_numbers(json.dumps([NUMBERS]).encode()) == [NUMBERS]


def test_vectors_and_usage_are_known_still() -> None:
    entries = [{"index": 0, "embedding": NUMBERS}, {"index": 1, "embedding": []}]
    document = {"data": entries, "usage": {"prompt_tokens": 5, "total_tokens": 5}}
    read = parse_without_numbers(long(document))
    assert isinstance(read, dict)
    events = [*read_answer(read)]
    assert [len(e.values) for e in events if isinstance(e, Vector)] == [1, 0]
    assert Counted(Usage(5, 0)) in events


@pytest.mark.parametrize("text", ["a [5", "[1, 2] is no list", "[-", '\\"[3'])
def test_a_bracket_in_a_string_changes_nothing_else(text: str) -> None:
    read = parse_without_numbers(long({"said": text, "data": [NUMBERS], "usage": {"total": 5}}))
    assert isinstance(read, dict)
    assert read["usage"] == {"total": 5}
    assert read["data"] in ([[0]], [NUMBERS])


@pytest.mark.parametrize("body", [b"[", b"[1, 2", b"{]", b"\xff"])
def test_what_is_no_json_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_without_numbers(body + LONG.encode())


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text('a[]{},"5-\\'),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("a[5"), inner, max_size=4),
)


@steady
@given(JSON, st.sampled_from([None, 1]))
def test_any_json_is_read_with_the_same_shape(document: object, indent: int | None) -> None:
    read = parse_without_numbers(long(document, indent=indent))
    assert shape(read) == shape(document)


def shape(value: object) -> object:
    """What is left when texts and lists that begin with a number are all alike."""
    match value:
        case str():
            return "text"
        case [first, *_] if isinstance(first, int) and not isinstance(first, bool):
            return "numbers"
        case list():
            return [shape(each) for each in value]
        case dict():
            return {name[:1]: shape(each) for name, each in value.items() if "[" not in name}
        case _:
            return value
