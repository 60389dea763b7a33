"""What Anthropic's models differ in, by their names: data, as its model pages tell it.

https://platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting (November 2026). A
name that says no version is taken for one of the newest.
"""

import re
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.dialects.features import Feature

VERSION: Final = re.compile(r"claude-(?:[a-z]+-)?(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?")
"""`claude-opus-4-6`, `claude-3-5-sonnet-20241022`, `anthropic.claude-sonnet-4-20250514-v1:0`."""
ADAPTIVE_FROM: Final = (4, 6)
"""Thinks as much as it needs to; older ones think by a budget of tokens, and only so."""
XHIGH_FROM: Final = (4, 7)
"""Knows this effort, and refuses what is `SAMPLED`."""
SAMPLED: Final = frozenset({Feature.TEMPERATURE, Feature.TOP_P, Feature.TOP_K})
"""No model takes them while it thinks."""
THINKS_BY_DEFAULT_FROM: Final = (5, 0)
ALWAYS_THINKS: Final = re.compile(r"claude-(?:fable|mythos)")
"""Refuses to be told not to."""


@dataclass(frozen=True, slots=True)
class Traits:
    """The defaults are those of the newest."""

    adaptive: bool = True
    xhigh: bool = True
    drops: frozenset[Feature] = SAMPLED
    """What it refuses to be told, beside what the dialect lacks."""
    thinks_by_default: bool = True
    always_thinks: bool = False


def traits_of(model: str) -> Traits:
    name = model.lower()
    found = VERSION.search(name)
    if found is None:
        return Traits(always_thinks=bool(ALWAYS_THINKS.search(name)))
    version = int(found[1]), int(found[2] or 0)
    return Traits(
        adaptive=version >= ADAPTIVE_FROM,
        xhigh=version >= XHIGH_FROM,
        drops=SAMPLED if version >= XHIGH_FROM else frozenset(),
        thinks_by_default=version >= THINKS_BY_DEFAULT_FROM,
        always_thinks=bool(ALWAYS_THINKS.search(name)),
    )
