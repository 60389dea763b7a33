"""Whether to ask an embedder that has failed: pure.

asked ──(failures in a row)──► left alone ──(a pause, longer each time)──► one request tries it
  ▲                                ▲─────────────(it fails)──────────────────────┤
  └──────────────────────────────────────────────(it answers)────────────────────┘
"""

import math
from typing import Final

FAILURES: Final = 5
"""In a row. Each may have cost a request the deadline."""
FIRST_PAUSE_SECONDS: Final = 1.0
MAX_PAUSE_SECONDS: Final = 30.0
NEVER: Final = -math.inf


class Breaker:
    """Of one embedder, as one sidecar sees it. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._row = 0
        self._pause_seconds = 0.0
        """0 is closed."""
        self._until = NEVER
        self._tried = False
        """A request is trying it."""

    @property
    def open(self) -> bool:
        return bool(self._pause_seconds)

    def begins(self, now: float) -> bool:
        """Whether a request may ask; then `failed`, `succeeded` or `gave_up` must follow."""
        if not self.open:
            return True
        if self._tried or now < self._until:
            return False
        self._tried = True
        return True

    def succeeded(self) -> bool:
        """Whether that closes it."""
        was_open = self.open
        self._row, self._pause_seconds, self._tried = 0, 0.0, False
        return was_open

    def failed(self, now: float) -> bool:
        """Whether that opens it; those who began before it opened change nothing."""
        self._row += 1
        if self.open and not self._tried:
            return False
        if not self.open and self._row < FAILURES:
            return False
        opened = not self.open
        self._pause_seconds = min(MAX_PAUSE_SECONDS, self._pause_seconds * 2 or FIRST_PAUSE_SECONDS)
        self._until, self._tried = now + self._pause_seconds, False
        return opened

    def gave_up(self) -> None:
        """Nobody learned anything: the caller left."""
        self._tried = False
