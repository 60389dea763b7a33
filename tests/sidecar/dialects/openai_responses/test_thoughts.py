"""Thoughts of other providers, kept for them in a field of OpenAI's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.dialects.openai_responses.thoughts import is_ours, read_thought, sealed
from penstock_sidecar.dialects.prompt import Thought
from tests.sidecar.dialects.openai_responses.given import steady

TEXTS = st.none() | st.text(min_size=1, max_size=20)


@steady
@given(st.text(min_size=1, max_size=20), TEXTS, TEXTS)
def test_what_is_sealed_comes_back(text: str, signature: str | None, redacted: str | None) -> None:
    item: dict[str, object] = {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": text}],
        "encrypted_content": sealed(signature, redacted),
    }
    assert is_ours(item)
    assert read_thought(item, "here") == Thought(text, signature, redacted, "here")


@pytest.mark.parametrize("content", [None, "gAAAA", "penstock:", "penstock:%%%", "penstock:W10="])
def test_what_is_not_ours_or_no_longer_whole_says_nothing(content: str | None) -> None:
    item: dict[str, object] = {"type": "reasoning", "summary": [], "encrypted_content": content}
    assert read_thought(item, "here") is None
