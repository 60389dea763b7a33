"""How much to think: by a level since Gemini 3, by a number of tokens before."""

from collections.abc import Mapping
from typing import Final

from penstock_sidecar.dialects.efforts import effort_of, tokens_of
from penstock_sidecar.dialects.gemini.generations import before_3
from penstock_sidecar.dialects.prompt import Effort, Reasoning

LEVELS: Final[Mapping[Effort, str]] = {
    "none": "LOW",
    "minimal": "LOW",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "xhigh": "HIGH",
}
"""All know these three, and cannot but think; to a level that a model has not, it answers 400."""
LARGEST_BUDGET: Final = 24_576
"""That of 2.5 Flash, the smallest of all."""
SMALLEST_OF_PRO: Final = 128
"""2.5 Pro cannot but think."""


def thinking_of(reasoning: Reasoning, model: str, max_tokens: int | None) -> dict[str, object]:
    """`thinkingConfig`. Level and budget together would be refused."""
    config: dict[str, object] = {"includeThoughts": reasoning.shown}
    if before_3(model):
        tokens = tokens_of(reasoning, max_tokens)
        if tokens is not None:
            least = SMALLEST_OF_PRO if "pro" in model.lower() else 0
            config["thinkingBudget"] = min(max(tokens, least), LARGEST_BUDGET)
    elif effort := effort_of(reasoning):
        config["thinkingLevel"] = LEVELS[effort]
    return config
