"""Limits while Redis is away, or late: this sidecar's share, counted in this process.

A share is 0.9 of the limit, divided by the sidecars; one that is less than a single request denies.
What Redis granted counts as well, and what it refused stays refused until the time it named. So all
sidecars together stay below the limit, and one late answer under load opens no second allowance,
as long as there are no more sidecars than configured.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from penstock_sidecar.clock import Clock
from penstock_sidecar.limits.bounds import BUCKETS, Bound
from penstock_sidecar.limits.ledger import Refusal, Standing

SHARED_OUT: Final = 0.9
MAX_COUNTERS: Final = 10_000
DAY_SECONDS: Final = 86_400.0
WAIT_SECONDS: Final = 1.0
"""For a slot, and for what no share can hold: nobody knows when."""

Counted = tuple[str, Bound]
"""Whose (a key's name), and what."""


@dataclass(slots=True)
class Counter:
    """A sliding window in sixty buckets, as in Redis; for slots only `used` counts."""

    window_seconds: float
    used: int = 0
    buckets: deque[tuple[int, int]] = field(default_factory=deque)
    """(number, used in it), each once, in order."""
    closed_until: float = 0
    """Until then Redis said no."""

    def advance(self, now: float) -> None:
        oldest = self._bucket(now) - BUCKETS
        while self.buckets and self.buckets[0][0] < oldest:
            self.used -= self.buckets.popleft()[1]

    def add(self, now: float, cost: int) -> None:
        self.used += cost
        if not self.window_seconds:
            return
        bucket = self._bucket(now)
        if self.buckets and self.buckets[-1][0] == bucket:
            cost += self.buckets.pop()[1]
        elif len(self.buckets) > BUCKETS:
            self.advance(now)
        self.buckets.append((bucket, cost))

    def seconds_until(self, now: float, excess: int) -> float:
        for bucket, cost in self.buckets:
            excess -= cost
            if excess <= 0:
                return (bucket + BUCKETS + 1) * self.window_seconds / BUCKETS - now
        return WAIT_SECONDS

    def _bucket(self, now: float) -> int:
        return int(now * BUCKETS // self.window_seconds) if self.window_seconds else 0


class Shares:
    """Counters by key and bound; the least recently used give way when there are too many."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counters: OrderedDict[tuple[str, str, str], Counter] = OrderedDict()

    def take(self, wanted: Sequence[Counted], tokens: int, sidecars: int) -> Refusal | None:
        """All or nothing, as in Redis; money cannot be shared out and is not asked for here."""
        now = self._clock.monotonic()
        pairs = [(bound, self._counter(key, bound)) for key, bound in wanted]
        for bound, counter in pairs:
            counter.advance(now)
            share = int(bound.amount * SHARED_OUT / sidecars)
            cost = bound.cost(tokens, 0)
            if not bound.enforced:
                continue
            wait = counter.closed_until - now
            if counter.used + cost > share:
                wait = max(wait, counter.seconds_until(now, counter.used + cost - share))
            if wait > 0:
                standing = Standing(bound, max(0, share - counter.used), wait)
                return Refusal(bound, wait, (standing,))
        for bound, counter in pairs:
            counter.add(now, bound.cost(tokens, 0))
        return None

    def granted(self, counted: Sequence[Counted], tokens: int) -> None:
        """Redis admitted it: it is used of the share too."""
        now = self._clock.monotonic()
        for key, bound in counted:
            self._counter(key, bound).add(now, bound.cost(tokens, 0))

    def refused(self, counted: Sequence[Counted], refusal: Refusal) -> None:
        """Redis said no, and until when; of a slot nobody knows when it comes free."""
        for key, bound in counted:
            if bound is refusal.bound and bound.what != "slots" and refusal.wait_seconds:
                until = self._clock.monotonic() + refusal.wait_seconds
                self._counter(key, bound).closed_until = until

    def free_slots(self, taken: Sequence[Counted]) -> None:
        for key, bound in taken:
            if bound.what == "slots":
                counter = self._counter(key, bound)
                counter.used = max(0, counter.used - 1)  # it may have been forgotten meanwhile

    def _counter(self, key: str, bound: Bound) -> Counter:
        name = (key, bound.what, bound.field)
        counter = self._counters.get(name)
        if counter:
            self._counters.move_to_end(name)
            return counter
        counter = self._counters[name] = Counter(_window_seconds(bound))
        if len(self._counters) > MAX_COUNTERS:
            self._counters.popitem(last=False)
        return counter


def _window_seconds(bound: Bound) -> float:
    if bound.what == "slots":
        return 0
    return bound.window_seconds or DAY_SECONDS
