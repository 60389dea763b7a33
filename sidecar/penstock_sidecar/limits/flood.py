"""How many requests one sidecar takes at all, before anybody looks for an answer: a token bucket in
this process, so that a loop gone wild costs neither Redis nor the pod its processor."""

from penstock_sidecar.clock import Clock
from penstock_sidecar.errors import RateLimited


class FloodGate:
    """Holds a second's worth of requests. `per_second` of 0 lets everything pass."""

    def __init__(self, per_second: float, clock: Clock) -> None:
        self._per_second = per_second
        self._clock = clock
        self._left = self._most = max(1.0, per_second)
        self._seen = clock.monotonic()

    def take(self) -> None:
        """Raises `RateLimited`, with the time until there is room again."""
        if not self._per_second:
            return
        now = self._clock.monotonic()
        self._left = min(self._most, self._left + (now - self._seen) * self._per_second)
        self._seen = now
        if self._left < 1:
            raise RateLimited(
                f"this sidecar takes {self._per_second:g} requests a second, and more came",
                retry_after_seconds=(1 - self._left) / self._per_second,
            )
        self._left -= 1
