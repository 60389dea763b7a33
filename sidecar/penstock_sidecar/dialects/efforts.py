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


def effort_of(reasoning: Reasoning) -> Effort | None:
    tokens = reasoning.budget_tokens
    if reasoning.effort is not None or tokens is None:
        return reasoning.effort
    if tokens == 0:
        return "none"
    return next((effort for most, effort in UP_TO_TOKENS if tokens <= most), "high")


def tokens_of(reasoning: Reasoning) -> int | None:
    if reasoning.budget_tokens is not None or reasoning.effort is None:
        return reasoning.budget_tokens
    return TOKENS[reasoning.effort]
