"""How long candidates take until their first content, as this sidecar has seen it."""

import math
from collections import OrderedDict
from typing import Final

STEP: Final = 1.1
"""Buckets grow by a tenth: percentiles are that exact."""
SHORTEST_SECONDS: Final = 0.001
LONGEST_SECONDS: Final = 600.0
BUCKETS: Final = math.ceil(math.log(LONGEST_SECONDS / SHORTEST_SECONDS, STEP)) + 1
LEAST_SAMPLES: Final = 20
"""Fewer say nothing about the slow ones among them."""
MOST_SAMPLES: Final = 1000
"""Then all count half: what was long ago is forgotten."""
MAX_REMEMBERED: Final = 1024
Name = tuple[str, bool]
"""A candidate's label, and whether it streams: a plain answer's first content is all of it."""


class Times:
    """A histogram of seconds, whose buckets grow."""

    __slots__ = ("_counts", "_total")

    def __init__(self) -> None:
        self._counts = [0.0] * BUCKETS
        self._total = 0.0

    def add(self, seconds: float) -> None:
        self._counts[_bucket(seconds)] += 1
        self._total += 1
        if self._total > MOST_SAMPLES:
            self._counts = [count / 2 for count in self._counts]
            self._total /= 2

    def percentile(self, percent: int) -> float | None:
        """Seconds that so many percent stay within; `None` while too few are known."""
        if self._total < LEAST_SAMPLES:
            return None
        wanted = self._total * percent / 100
        for bucket, count in enumerate(self._counts):
            wanted -= count
            if wanted <= 0:
                return SHORTEST_SECONDS * STEP**bucket
        return LONGEST_SECONDS


class FirstContentTimes:
    """By candidate; the least recently used are forgotten when there are too many. Outlives
    configurations."""

    def __init__(self, most: int = MAX_REMEMBERED) -> None:
        self._most = most
        self._times: OrderedDict[Name, Times] = OrderedDict()

    def add(self, name: Name, seconds: float) -> None:
        """Also of one that was cut: it would have taken longer still."""
        times = self._times.get(name)
        if times is None:
            times = self._times[name] = Times()
            if len(self._times) > self._most:
                self._times.popitem(last=False)
        self._times.move_to_end(name)
        times.add(seconds)

    def percentile(self, name: Name, percent: int) -> float | None:
        times = self._times.get(name)
        return times.percentile(percent) if times else None


def _bucket(seconds: float) -> int:
    """The first whose upper bound holds it."""
    if seconds <= SHORTEST_SECONDS:
        return 0
    return min(BUCKETS - 1, math.ceil(math.log(seconds / SHORTEST_SECONDS, STEP) - 1e-9))
