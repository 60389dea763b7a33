"""When two answers are the same."""

import json
import string
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.ensemble.essence import MAX_CHARACTERS, essence

SAME = [
    ("Paris", "  **paris**. "),
    ("The capital is\n\nParis!", "the capital is paris"),
    ("1,000,000", "1000000"),
    ("3.50", "3.5"),
    ("1e3", "1000"),
    ("007", "7.000"),
    (".5", "0.5"),
    ("\u22125", "-5"),
    ("50 %", "50%"),
    ("\uff13\uff15", "35"),
    ("_Paris_", "Paris"),
    ("well-known", "well known"),
    ("Let me think: 6 times 7.\n\nAnswer: 42", "42"),
    ("So it is.\n**Final answer:** **42**", "The answer is: 42.0"),
    ("Answer: 3\nNo, wait.\nAnswer:\n42", "42"),
    ('{"b": [1, 2.0], "a": "x"}', '```json\n{"a":"x","b":[1.0,2]}\n```'),
    ('Answer: {"a": 1}', '{ "a" : 1.0 }'),
    ("[]", "[ ]"),
    ("**Answer:**", "answer"),
    ("Straße", "STRASSE"),
]
DIFFERENT = [
    ("Paris", "Lyon"),
    ("3.14", "314"),
    ("5", "-5"),
    ("123456789012345678901234567890", "123456789012345678901234567891"),
    ("100", "10"),
    ("x+1", "x-1"),
    ("x*2", "x/2"),
    ("7 - 2", "7 + 2"),
    ("a != b", "a == b"),
    ("5%", "5"),
    ("$5", "€5"),
    ('{"a": 1}', '{"a": true}'),
    ('{"a": "Paris"}', '{"a": "paris"}'),
    ('{"a": [1, 2]}', '{"a": [2, 1]}'),
    ("null", "{}"),
    ("papa", "papá"),
    ("Answer: 42", "Answer: 43"),
    ("👍", "👎"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_answer_in_another_dress_is_the_same(one: str, other: str) -> None:
    assert essence(one) == essence(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_says_something_else_is_not(one: str, other: str) -> None:
    assert essence(one) != essence(other)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(string.printable),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(string.ascii_letters), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(string.ascii_letters), JSON))
def test_json_counts_by_value_however_it_is_written(value: Mapping[str, object]) -> None:
    backwards = dict(reversed(list(value.items())))
    assert essence(json.dumps(value)) == essence(json.dumps(backwards, indent=2))


@given(st.text().filter(str.strip))
def test_no_answer_is_nothing_and_its_essence_stays(text: str) -> None:
    assert essence(text)
    assert essence(text) == essence(f"\n {text} \n")


@given(st.integers(), st.integers())
def test_numbers_are_told_apart(one: int, other: int) -> None:
    assert (essence(f"It is {one:,}.") == essence(f"it is {other}")) == (one == other)


def test_texts_beyond_all_sizes_are_compared_word_by_word() -> None:
    long = "word " * MAX_CHARACTERS
    assert essence(long) == essence(long.upper())
    assert essence(long) != essence(f"{long} more")
    assert essence("1" * 5000) != essence("1" * 5001)


def test_deep_json_is_a_text() -> None:
    deep = "[" * 5000 + "]" * 5000
    assert essence(deep)


def test_a_hostile_line_takes_no_longer_than_its_length() -> None:
    line = "answer: a" + " *" * 16_000 + "x"
    assert essence(line).startswith("a ")


def test_an_empty_fence_is_not_nothing() -> None:
    assert essence("```\n```")
