"""What a provider's JSON becomes: always something that can be written again."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.dialects.document import MAX_DEPTH, parse

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r'"\ud83d"', "\ufffd"),
        (r'"a\ude00b"', "a\ufffdb"),
        (r'"\ud83d\ude00"', "\N{GRINNING FACE}"),
        (r'{"\ud83d": [NaN, Infinity, 1]}', {"\ufffd": [None, None, 1]}),
        (f"[{10**400}, NaN]", [None, None]),
        (f"[{2**70}, NaN, true]", [2.0**70, None, True]),
    ],
)
def test_what_utf_8_or_json_has_no_words_for_is_replaced(text: str, expected: object) -> None:
    assert parse(text.encode()) == expected


@given(VALUES)
def test_whatever_is_read_can_be_written(value: object) -> None:
    orjson.dumps(parse(json.dumps(value).encode()))


@given(VALUES)
def test_strict_json_is_read_as_it_is(value: object) -> None:
    try:
        data = orjson.dumps(value)
    except TypeError:
        return
    assert parse(data) == orjson.loads(data)


@pytest.mark.parametrize("last", [b"1", b"NaN"])
def test_what_is_nested_too_deep_is_refused(last: bytes) -> None:
    for depth in (MAX_DEPTH + 1, 1000, 100_000):
        with pytest.raises(ValueError, match=r"deep|JSON|recursion"):
            parse(b"[" * depth + last + b"]" * depth)
    within = parse(b"[" * (MAX_DEPTH - 1) + last + b"]" * (MAX_DEPTH - 1))
    orjson.dumps({"wrapped": {"once": [within]}})


def test_breadth_is_no_depth() -> None:
    found = parse(b"[" + b"[1]," * 10_000 + b"[2]]")
    assert isinstance(found, list)
    assert len(found) == 10_001
