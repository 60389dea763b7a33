"""Tokens as OpenAI's dialect reports them."""

from collections.abc import Mapping

from penstock_sidecar.model import Usage


def openai_usage(value: object) -> Usage | None:
    """`None` unless both sums are there; explicit zeros are sums. Parts never exceed their sum."""
    if not isinstance(value, dict):
        return None
    input_tokens = _count(value, "prompt_tokens")
    output_tokens = _count(value, "completion_tokens")
    if input_tokens is None or output_tokens is None:
        return None
    cached = _part(value, "prompt_tokens_details", "cached_tokens")
    if cached is None:
        cached = _count(value, "prompt_cache_hit_tokens")  # DeepSeek
    reasoning = _part(value, "completion_tokens_details", "reasoning_tokens")
    return Usage(
        input_tokens,
        output_tokens,
        cached_input_tokens=min(cached or 0, input_tokens),
        reasoning_tokens=min(reasoning or 0, output_tokens),
    )


def _part(usage: Mapping[str, object], group: str, name: str) -> int | None:
    details = usage.get(group)
    return _count(details, name) if isinstance(details, dict) else None


def _count(mapping: Mapping[str, object], name: str) -> int | None:
    value = mapping.get(name)
    valid = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if valid and isinstance(value, int) else None
