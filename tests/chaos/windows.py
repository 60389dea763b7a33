"""How many requests came within a window, by the provider's clock."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

SLACK_SECONDS: Final = 0.5
"""From Redis's word to the provider's ear, at most, on a busy machine: so much shorter is the
window that is looked at."""


def most_at_once(arrivals: Sequence[float], window_seconds: float) -> int:
    """Over every window that begins with an arrival, for times in order."""
    length = window_seconds - SLACK_SECONDS
    return max(bisect_left(arrivals, start + length) - i for i, start in enumerate(arrivals))
