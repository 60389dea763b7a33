"""What Anthropic's models differ in, by their names: data, as its model pages tell it.

https://platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting and the migration
guides of Opus 5.5 and Sonnet 5.5 (November 2026). Who copies the dialect for models of his own
understands what all of Anthropic's did before 4.6.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from penstock_sidecar.dialects.features import Feature

VERSION: Final = re.compile(r"claude-(?:([a-z]+)-)?(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?")
"""`claude-opus-4-6`, `claude-3-5-sonnet-20241022`, `anthropic.claude-sonnet-4-20250514-v1:0`."""
NEWEST: Final = ("opus", (5, 5))
"""What a name of Anthropic's without a version is taken for."""
SAMPLED: Final = frozenset({Feature.TEMPERATURE, Feature.TOP_P, Feature.TOP_K})
"""No model takes them while it thinks, and none since 4.7."""
FORCED: Final = frozenset({Feature.TOOL_REQUIRED, Feature.TOOL_NAMED})
"""No model thinks before a call that must happen, so that those which always think refuse it."""
ALWAYS_THINK: Final = ("fable", "mythos")
"""Since their first version; Opus since 5.5."""

FORCES_NOT_FROM: Final = {"fable": (5, 1)}
"""Others since 5.5."""


@dataclass(frozen=True, slots=True)
class Traits:
    """The defaults are those of models that think by a budget of tokens, where they are told to."""

    adaptive: bool = False
    """Thinks as much as it needs to, by its effort."""
    xhigh: bool = False
    """Knows this effort."""
    silenced_by: Literal["disabled", "between_tools", "low effort"] | None = None
    """How to tell it not to think; `None` where it does so only when told to."""
    drops: frozenset[Feature] = frozenset()
    """What it refuses to be told and can do without, beside what the dialect lacks."""
    refuses: frozenset[Feature] = frozenset()
    """What it cannot do."""


def traits_of(model: str) -> Traits:
    """`model` is the name that the provider knows."""
    name = model.lower()
    if "claude" not in name:
        return Traits()
    found = VERSION.search(name)
    if found is None:
        return _of(*NEWEST)
    return _of(found[1] or "", (int(found[2]), int(found[3] or 0)))


def _of(family: str, version: tuple[int, int]) -> Traits:
    return Traits(
        adaptive=version >= (4, 6),
        xhigh=version >= (4, 7),
        silenced_by=_silenced_by(family, version),
        drops=SAMPLED if version >= (4, 7) else frozenset(),
        refuses=FORCED if version >= FORCES_NOT_FROM.get(family, (5, 5)) else frozenset(),
    )


def _silenced_by(
    family: str, version: tuple[int, int]
) -> Literal["disabled", "between_tools", "low effort"] | None:
    if version < (5, 0):
        return None
    if family in ALWAYS_THINK or (family == "opus" and version >= (5, 5)):
        return "low effort"
    return "between_tools" if version >= (5, 5) else "disabled"
