"""When slow answers are too many to go on waiting for: pure."""

from collections import deque

FAILURES = 3
WITHIN_SECONDS = 1.0


class Breaker:
    """Opens after three failures within a second; a success forgets nothing, time does."""

    def __init__(self) -> None:
        self._failures: deque[float] = deque(maxlen=FAILURES)

    def failed(self, now: float) -> bool:
        """Count a failure at `now` (monotonic seconds); True when it opens the breaker."""
        self._failures.append(now)
        return len(self._failures) == FAILURES and now - self._failures[0] <= WITHIN_SECONDS

    def reset(self) -> None:
        self._failures.clear()
