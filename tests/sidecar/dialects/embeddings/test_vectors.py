"""Vectors as numbers and as base64."""

import base64
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_sidecar.dialects.dialect import Garbled
from penstock_sidecar.dialects.embeddings.vectors import as_base64, as_floats, vector_of

steady = settings(deadline=None, derandomize=True)
SHORT_FLOATS = st.floats(width=32, allow_nan=False)


@steady
@given(st.lists(SHORT_FLOATS))
def test_numbers_of_32_bits_survive_both_ways(numbers: list[float]) -> None:
    assert as_floats(as_base64(numbers)) == numbers


@steady
@given(st.binary().map(lambda data: data[: len(data) // 4 * 4]))
def test_bytes_survive_both_ways(data: bytes) -> None:
    """All but those that are no numbers, of which there are many."""
    numbers = struct.unpack(f"<{len(data) // 4}f", data)
    if all(number == number for number in numbers):  # noqa: PLR0124  # NaN is not
        text = base64.b64encode(data).decode()
        assert as_base64(as_floats(text)) == text


@steady
@given(st.lists(st.floats(-1, 1)))
def test_longer_numbers_lose_no_more_than_32_bits_must(numbers: list[float]) -> None:
    short = [struct.unpack("<f", struct.pack("<f", number))[0] for number in numbers]
    assert as_floats(as_base64(numbers)) == short


def test_the_little_end_comes_first() -> None:
    assert as_base64([1.0, -2.5]) == base64.b64encode(bytes.fromhex("0000803f000020c0")).decode()
    assert as_floats("AACAPwAAIMA=") == [1.0, -2.5]


def test_what_has_the_right_spelling_stays_what_it_is() -> None:
    numbers, text = [0.1, 1], "not looked at"
    assert as_floats(numbers) is numbers
    assert as_base64(text) is text


@pytest.mark.parametrize(
    ("text", "said"),
    [("AAAA", "cut off"), ("A", "not base64"), ("AAAA!AAAA", "not base64"), ("é", "not base64")],
)
def test_what_is_no_vector_is_the_providers_fault(text: str, said: str) -> None:
    with pytest.raises(Garbled, match=said):
        as_floats(text)


def test_what_is_not_made_of_numbers_cannot_be_base64() -> None:
    with pytest.raises(Garbled, match="not made of numbers"):
        as_base64(["a"])  # type: ignore[list-item]  # as a provider may send it


@pytest.mark.parametrize("value", [None, 1, {"values": [1]}])
def test_other_types_are_no_vectors(value: object) -> None:
    with pytest.raises(Garbled, match="no vector"):
        vector_of(value)
