"""Words of several APIs about what is billed."""

from collections.abc import Mapping
from typing import Final

from penstock_sidecar.model import Request

PLAIN_TIERS: Final = frozenset(
    {"auto", "default", "flex", "on_demand", "standard", "standard_only"}
)
"""At the listed price or below. `auto` is what absence means too."""
SHORT_CACHES: Final = frozenset({"in_memory", "in-memory"})
"""OpenAI spells it both ways. What is kept for a day is dearer to write at its newer models."""
OWN_TOOLS: Final = frozenset({"function", "custom"})
"""The caller runs them himself."""
THINKING: Final = ("thinking", "reasoning", "reasoning_effort", "think", "enable_thinking")
"""Fields that ask a model to think, of whichever API."""
IDLE: Final[tuple[object, ...]] = (None, False, "none", {"type": "disabled"})
"""What they hold where it shall not."""


def asks_to_think(request: Request) -> bool:
    """Also of a model of which nobody said that it can."""
    return any(request.document.get(name) not in IDLE for name in THINKING)


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
