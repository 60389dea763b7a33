"""What time it is, so that tests can own it. Limits go by Redis time, never by this."""

import time
from typing import Final, Protocol

MICROSECONDS: Final = 1_000_000
"""In a second: what Redis counts time in."""


class Clock(Protocol):
    def monotonic(self) -> float:
        """Seconds since some point; only differences mean anything."""

    def utc(self) -> float:
        """Seconds since 1970-01-01 UTC."""


class SystemClock:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def utc(self) -> float:
        return time.time()
