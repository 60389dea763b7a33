"""Values of OpenAI's fields that cost what is listed, or less: in each of its APIs the same."""

from collections.abc import Mapping
from typing import Final

PLAIN_TIERS: Final = frozenset(
    {"auto", "default", "flex", "on_demand", "standard", "standard_only"}
)
"""At the listed price or below. `auto` is what absence means too."""
SHORT_CACHES: Final = frozenset({"in_memory", "in-memory"})
"""OpenAI spells it both ways. What is kept for a day is dearer to write at its newer models."""
OWN_TOOLS: Final = frozenset({"function", "custom"})
"""The caller runs them himself."""


def dear_tier(value: object) -> bool:
    return not (isinstance(value, str) and value in PLAIN_TIERS)


def long_cache(value: object) -> bool:
    return not (isinstance(value, str) and value in SHORT_CACHES)


def hosted_tool(tools: object) -> int | None:
    """The place of the first that the provider would run."""
    for index, tool in enumerate(tools if isinstance(tools, list) else [None]):
        kind = tool.get("type") if isinstance(tool, Mapping) else None
        if not (isinstance(kind, str) and kind in OWN_TOOLS):
            return index
    return None
