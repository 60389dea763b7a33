"""By when a provider must have sent what comes next, on the loop's clock."""

import math
from typing import Final

from penstock_config.provider import Timeouts
from penstock_sidecar.errors import UpstreamTimeout, UpstreamTooLate

CLOCK_SECONDS: Final = 0.002
"""uvloop's timers count milliseconds, and may be up to one early."""


class Deadlines:
    """Streams owe their first content, then each piece; a plain answer only its end: nothing comes
    of it before the model has finished. Neither may begin later than `until`: so long the request
    may take."""

    __slots__ = ("_first_at", "_idle_seconds", "_timeouts", "_total_at", "hurried")

    def __init__(
        self, timeouts: Timeouts, now: float, *, stream: bool, until: float = math.inf
    ) -> None:
        self._timeouts = timeouts
        self._total_at = now + timeouts.total_seconds
        first_at = now + timeouts.first_token_seconds if stream else self._total_at
        self._first_at: float | None = min(first_at, self._total_at, until)
        self.hurried = until < min(first_at, self._total_at)
        """The request gives less time than the provider has."""
        self._idle_seconds = timeouts.idle_seconds

    def due(self, now: float) -> float:
        """When to stop waiting for the next bytes, if the wait begins now."""
        if self._first_at is not None:
            return self._first_at
        return min(self._total_at, now + self._idle_seconds)

    def content_came(self) -> None:
        self._first_at = None

    def error(self, label: str, now: float) -> UpstreamTimeout:
        """Of a provider that has let the time pass."""
        first_at = self._first_at
        if self.hurried and first_at is not None and now >= first_at - CLOCK_SECONDS:
            return UpstreamTooLate(f"{label} did not answer in the time that was left")
        return UpstreamTimeout(f"{label} {self.missed(now)}")

    def missed(self, now: float) -> str:
        """What did not happen in time, as the end of a sentence."""
        if now >= self._total_at:
            return f"did not finish within {self._timeouts.total_seconds:g} seconds"
        if self._first_at is not None:
            return f"sent no content within {self._timeouts.first_token_seconds:g} seconds"
        return f"sent nothing for {self._timeouts.idle_seconds:g} seconds"
