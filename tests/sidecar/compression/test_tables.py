"""JSON of tools becomes smaller and loses nothing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.compression.tables import smaller_json

VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(["a", "b", "id", "n"]), inner, max_size=3)
    ),
    max_leaves=30,
)


def rows_of(table: Any) -> Any:
    """The data as it was, from what `smaller_json` wrote."""
    if isinstance(table, list):
        return [rows_of(each) for each in table]
    if not isinstance(table, dict):
        return table
    if {"columns", "rows"} <= table.keys() <= {"columns", "rows", "every_row"}:
        same = rows_of(table.get("every_row", {}))
        return [
            {**same, **dict(zip(table["columns"], map(rows_of, row), strict=True))}
            for row in table["rows"]
        ]
    return {name: rows_of(each) for name, each in table.items()}


@given(VALUES)
def test_what_is_written_says_the_same_in_fewer_characters(value: Any) -> None:
    text = json.dumps(value, indent=2)
    told = smaller_json(text)
    if told is not None:
        assert rows_of(json.loads(told)) == value
        assert len(told) < len(text)


def test_names_stand_once_and_what_all_rows_share_stands_once() -> None:
    rows = [{"id": n, "state": "open", "owner": "ann"} for n in (4, 5, 6)]
    assert smaller_json(json.dumps(rows)) == (
        '{"every_row":{"state":"open","owner":"ann"},"columns":["id"],"rows":[[4],[5],[6]]}'
    )


def test_numbers_stay_as_they_were_written() -> None:
    text = '{ "price": 1.10, "id": 123456789012345678901234567890, "e": 1E5 }'
    assert smaller_json(text) == text.replace(" ", "")


def test_objects_one_a_line_are_rows() -> None:
    text = "\n".join(json.dumps({"level": "info", "n": n}) for n in range(4))
    assert smaller_json(text) == (
        '{"every_row":{"level":"info"},"columns":["n"],"rows":[[0],[1],[2],[3]]}'
    )


def test_rows_with_other_fields_stay_objects() -> None:
    assert smaller_json('[{"a": 1}, {"a": 2}, {"b": 3}]') == '[{"a":1},{"a":2},{"b":3}]'


def test_true_and_one_are_two_values() -> None:
    told = smaller_json('[{"enabled":  1 }, {"enabled": true}, {"enabled": 1.0}]')
    assert told == '{"columns":["enabled"],"rows":[[1],[true],[1.0]]}'


def test_what_is_no_json_or_is_short_already_is_left() -> None:
    for text in ("", "plain", '{"a":1}', "[1,", "{'a': 1}", '"text"', "[NaN,  1]", "[" * 100_000):
        assert smaller_json(text) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"status":  "open",  "status":   "closed"}',
        '[{"id": 1}, {"id":  "\\ud800"}]',
    ],
)
def test_what_cannot_be_said_again_stays_as_it_came(text: str) -> None:
    assert smaller_json(text) is None
