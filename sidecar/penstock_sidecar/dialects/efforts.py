"""How much to think: some say a word, others a number of tokens."""

from collections.abc import Mapping
from typing import Final

from penstock_sidecar.dialects.prompt import Effort, Reasoning

UP_TO_TOKENS: Final[tuple[tuple[int, Effort], ...]] = ((2_048, "low"), (8_192, "medium"))
TOKENS: Final[Mapping[Effort, int]] = {
    "none": 0,
    "minimal": 1_024,
    "low": 2_048,
    "medium": 8_192,
    "high": 16_384,
    "xhigh": 32_768,
}
"""The least that Anthropic takes is 1,024."""
MOST_OF_AN_ANSWER: Final = (4, 5)
"""Thoughts count as output: what is left of it is for the answer itself."""


def effort_of(reasoning: Reasoning) -> Effort | None:
    tokens = reasoning.budget_tokens
    if reasoning.effort is not None or tokens is None:
        return reasoning.effort
    if tokens == 0:
        return "none"
    return next((effort for most, effort in UP_TO_TOKENS if tokens <= most), "high")


def tokens_of(reasoning: Reasoning, max_tokens: int | None = None) -> int | None:
    """The caller's own number, or one for his word, which leaves room in `max_tokens`."""
    if reasoning.budget_tokens is not None or reasoning.effort is None:
        return reasoning.budget_tokens
    tokens = TOKENS[reasoning.effort]
    part, whole = MOST_OF_AN_ANSWER
    return tokens if max_tokens is None else min(tokens, max_tokens * part // whole)
