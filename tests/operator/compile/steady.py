"""How properties are tried: the same examples each time, and no clock."""

from typing import Final

from hypothesis import HealthCheck, settings

steady: Final = settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
few: Final = settings(steady, max_examples=40)
"""For examples that are slow to make: whole snapshots."""
