"""How many tokens a word is worth."""

import pytest

from penstock_sidecar.dialects.efforts import tokens_of
from penstock_sidecar.dialects.prompt import Reasoning


@pytest.mark.parametrize(
    ("max_tokens", "expected"), [(None, 16_384), (100_000, 16_384), (8_000, 6_400)]
)
def test_a_word_leaves_room_for_the_answer(max_tokens: int | None, expected: int) -> None:
    """Else a model thinks until nothing is left to say it with."""
    assert tokens_of(Reasoning("high"), max_tokens) == expected


def test_a_number_is_the_caller_s() -> None:
    assert tokens_of(Reasoning("high", 7_999), 8_000) == 7_999
