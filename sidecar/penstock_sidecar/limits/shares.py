"""Limits while Redis is away, or late: this sidecar's share, counted in this process.

A share is 0.9 of the limit, divided by the sidecars; one that is less than a single request denies.
What Redis granted counts as well, and what it refused stays refused until the time it named. So all
sidecars together stay below the limit, and one late answer under load opens no second allowance,
as long as there are no more sidecars than were heard of. What Redis does not know is its debt,
published when it is back.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from penstock_config.layout import Group
from penstock_sidecar.clock import Clock
from penstock_sidecar.limits.bounds import BUCKETS, Bound
from penstock_sidecar.limits.holds import Refusal, Standing

SHARED_OUT: Final = 0.9
MAX_COUNTERS: Final = 10_000
DAY_SECONDS: Final = 86_400.0
WAIT_SECONDS: Final = 1.0
"""For a slot, and for what no share can hold: nobody knows when."""


class Counted(NamedTuple):
    """What is counted: a bound, in the hash named `key`."""

    group: Group
    key: str
    bound: Bound


@dataclass(slots=True)
class Bucket:
    number: int
    used: int
    told: int
    """Of that, what Redis knows."""


@dataclass(slots=True)
class Counter:
    """A sliding window in sixty buckets, as in Redis; for slots only `used` counts."""

    counted: Counted
    window_seconds: float
    used: int = 0
    buckets: deque[Bucket] = field(default_factory=deque)
    """Each number once, in order."""
    closed_until: float = 0
    """Until then Redis said no."""

    def advance(self, now: float) -> None:
        oldest = self._number(now) - BUCKETS
        while self.buckets and self.buckets[0].number < oldest:
            self.used -= self.buckets.popleft().used

    def add(self, now: float, cost: int, *, told: bool) -> None:
        self.used += cost
        if not self.window_seconds:
            return
        number = self._number(now)
        if not self.buckets or self.buckets[-1].number != number:
            if len(self.buckets) > BUCKETS:
                self.advance(now)
            self.buckets.append(Bucket(number, 0, 0))
        self.buckets[-1].used += cost
        if told:
            self.buckets[-1].told += cost

    def seconds_until(self, now: float, excess: int) -> float:
        for bucket in self.buckets:
            excess -= bucket.used
            if excess <= 0:
                return (bucket.number + BUCKETS + 1) * self.window_seconds / BUCKETS - now
        return WAIT_SECONDS

    def age_seconds(self, now: float, bucket: Bucket) -> float:
        """Since the end of the bucket: what is told is taken for as late as it may have been."""
        return max(0.0, now - (bucket.number + 1) * self.window_seconds / BUCKETS)

    def _number(self, now: float) -> int:
        return int(now * BUCKETS // self.window_seconds) if self.window_seconds else 0


@dataclass(frozen=True, slots=True)
class Debt:
    """What a counter holds that Redis does not know: (seconds ago, amount)."""

    counted: Counted
    amounts: Sequence[tuple[float, int]]
    _buckets: Sequence[tuple[Bucket, int]]

    def paid(self) -> None:
        for bucket, told in self._buckets:
            bucket.told = max(bucket.told, told)


class Shares:
    """Counters by key and bound; the least recently used give way when there are too many."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counters: OrderedDict[tuple[str, str, str], Counter] = OrderedDict()
        self._in_debt: set[str] = set()

    def take(self, wanted: Sequence[Counted], tokens: int, sidecars: int) -> Refusal | None:
        """All or nothing, as in Redis; money cannot be shared out and is not asked for here."""
        now = self._clock.monotonic()
        pairs = [(each.bound, self._counter(each)) for each in wanted]
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
                standing = Standing(bound, share, max(0, share - counter.used), wait)
                return Refusal(bound, wait, (standing,))
        self.admitted(wanted, tokens)
        return None

    def admitted(self, counted: Sequence[Counted], tokens: int) -> None:
        """Let through without Redis."""
        self._add(counted, tokens, told=False)
        self._in_debt.update(each.group.tag for each in counted)

    def granted(self, counted: Sequence[Counted], tokens: int) -> None:
        """Redis admitted it: it is used of the share too."""
        self._add(counted, tokens, told=True)

    def refused(self, counted: Sequence[Counted], refusal: Refusal) -> None:
        """Redis said no, and until when; of a slot nobody knows when it comes free."""
        for each in counted:
            bound = each.bound
            if bound is refusal.bound and bound.what != "slots" and refusal.wait_seconds:
                until = self._clock.monotonic() + refusal.wait_seconds
                self._counter(each).closed_until = until

    def free_slots(self, taken: Sequence[Counted]) -> None:
        for each in taken:
            if each.bound.what == "slots":
                counter = self._counter(each)
                counter.used = max(0, counter.used - 1)  # it may have been forgotten meanwhile

    def forgotten(self, tag: str) -> None:
        """Redis has lost a group's data: all that was used in it is its debt."""
        self._in_debt.add(tag)
        for counter in self._counters.values():
            if counter.counted.group.tag == tag:
                for bucket in counter.buckets:
                    bucket.told = 0

    def in_debt(self, tag: str) -> bool:
        return tag in self._in_debt

    def debts(self, tag: str) -> Iterator[Debt]:
        """What is still within its window. Taken off by `paid`; `settle_debts` when all are."""
        now = self._clock.monotonic()
        for counter in list(self._counters.values()):
            if counter.counted.group.tag == tag and counter.window_seconds:
                counter.advance(now)
                owed = [b for b in counter.buckets if b.used > b.told]
                if owed:
                    yield Debt(
                        counter.counted,
                        [(counter.age_seconds(now, b), b.used - b.told) for b in owed],
                        [(b, b.used) for b in owed],
                    )

    def settle_debts(self, tag: str) -> None:
        self._in_debt.discard(tag)

    def still_in_debt(self, tag: str) -> None:
        """Not all of its debts could be told."""
        self._in_debt.add(tag)

    def _add(self, counted: Sequence[Counted], tokens: int, *, told: bool) -> None:
        now = self._clock.monotonic()
        for each in counted:
            self._counter(each).add(now, each.bound.cost(tokens, 0), told=told)

    def _counter(self, counted: Counted) -> Counter:
        bound = counted.bound
        name = (counted.key, bound.what, bound.field)
        counter = self._counters.get(name)
        if counter:
            self._counters.move_to_end(name)
            return counter
        counter = self._counters[name] = Counter(counted, _window_seconds(bound))
        if len(self._counters) > MAX_COUNTERS:
            self._counters.popitem(last=False)
        return counter


def _window_seconds(bound: Bound) -> float:
    if bound.what == "slots":
        return 0
    return bound.window_seconds or DAY_SECONDS
