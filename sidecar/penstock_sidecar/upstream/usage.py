"""Tokens as OpenAI's dialect reports them."""

from collections.abc import Mapping
from typing import Final

from penstock_sidecar.model import Usage

MAX_TOKENS: Final = 10**9
"""A nonsense beyond it would fill every budget, and the books could not hold its price."""


def openai_usage(value: object) -> Usage | None:
    """`None` unless both sums are there; explicit zeros are sums. Parts never exceed their sum."""
    if not isinstance(value, dict):
        return None
    input_tokens = token_count(value, "prompt_tokens")
    output_tokens = token_count(value, "completion_tokens")
    if input_tokens is None or output_tokens is None:
        return None
    cached = _part(value, "prompt_tokens_details", "cached_tokens")
    if cached is None:
        cached = token_count(value, "prompt_cache_hit_tokens")  # DeepSeek
    reasoning = _part(value, "completion_tokens_details", "reasoning_tokens")
    return Usage(
        input_tokens,
        output_tokens,
        cached_input_tokens=min(cached or 0, input_tokens),
        reasoning_tokens=min(reasoning or 0, output_tokens),
    )


def _part(usage: Mapping[str, object], group: str, name: str) -> int | None:
    details = usage.get(group)
    return token_count(details, name) if isinstance(details, dict) else None


def token_count(mapping: Mapping[str, object], name: str) -> int | None:
    """None for what cannot be a number of tokens: no request has had a billion."""
    value = mapping.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= MAX_TOKENS else None
