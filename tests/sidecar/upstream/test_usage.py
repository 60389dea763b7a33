"""Tokens as providers report them."""

import pytest

from penstock_sidecar.dialects.usage import usage_of_ollama, usage_of_openai
from penstock_sidecar.model import Usage


def test_explicit_zeros_are_counts() -> None:
    assert usage_of_openai({"prompt_tokens": 0, "completion_tokens": 0}) == Usage(0, 0)


@pytest.mark.parametrize("nonsense", [-1, 2**63, 1e9, True, "7", None])
def test_what_cannot_be_a_number_of_tokens_is_unknown(nonsense: object) -> None:
    """What was seen is charged then: books that cannot hold a number refuse it for ever."""
    assert usage_of_openai({"prompt_tokens": 5, "completion_tokens": nonsense}) is None
    assert usage_of_ollama({"prompt_eval_count": nonsense}) is None
