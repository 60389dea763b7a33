"""What one sidecar asks of a fleet, by model, as others are to hear of it.

Who looks comes by every few seconds: a request that was answered between two looks must not be
missed, or a fleet in use is taken for an idle one. So a model that was asked is told of, as one
request, until both have had the time to look.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from penstock_config.fleet import DEMAND_SECONDS, FLEET_SECONDS, Demand

LASTING_SECONDS: Final = 2 * FLEET_SECONDS + DEMAND_SECONDS
"""The operator's look may have just been, and the next word of ours too."""


class Tally:
    """Counts, and when they were last not zero. Times are the process's monotonic clock."""

    def __init__(self, lasting_seconds: float = LASTING_SECONDS) -> None:
        self.in_flight: Counter[str] = Counter()
        self.waiting: Counter[str] = Counter()
        self._lasting_seconds = lasting_seconds
        self._answered_at: dict[str, float] = {}
        self._wished_at: dict[str, float] = {}

    def wish(self, model: str, now: float) -> None:
        """Somebody would have asked for it, had it been there."""
        self._wished_at[model] = now

    def begin(self, model: str) -> None:
        self.in_flight[model] += 1

    def end(self, model: str, now: float) -> None:
        _less(self.in_flight, model)
        self._answered_at[model] = now

    def wait(self, model: str) -> None:
        self.waiting[model] += 1

    def wait_no_more(self, model: str) -> None:
        _less(self.waiting, model)

    def demand(self, now: float, utc: float) -> Demand:
        """`utc` is what the others' clocks say."""
        in_flight = self._lasting(self.in_flight, self._answered_at, now)
        waiting = self._lasting(self.waiting, self._wished_at, now)
        return Demand(at=utc, in_flight=in_flight, waiting=waiting)

    def _lasting(
        self, counts: Mapping[str, int], lately: dict[str, float], now: float
    ) -> Mapping[str, int]:
        for model in [m for m, at in lately.items() if now - at >= self._lasting_seconds]:
            del lately[model]
        return {**dict.fromkeys(lately, 1), **counts}


def _less(counts: Counter[str], model: str) -> None:
    counts[model] -= 1
    if counts[model] <= 0:
        del counts[model]
