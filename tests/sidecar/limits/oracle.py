"""What the scripts must do, in integers and plain lists: slow, obvious, and written on its own.

One bound is one object; a hold is a set of charges. Times are whole microseconds.
"""

from dataclasses import dataclass, field

BUCKETS = 60


@dataclass
class Charge:
    bucket: int
    amount: int


@dataclass
class Window:
    """At most `limit` within any sixty buckets and the one under way."""

    limit: int
    width: int
    charges: list[Charge] = field(default_factory=list)
    first: int | None = None
    """What lay before was dropped for good, even if the clock falls back."""

    def live(self, now: int) -> list[Charge]:
        return [c for c in self.charges if c.bucket >= now // self.width - BUCKETS]

    def look(self, now: int) -> None:
        """A clock that fell back by more than the window: everything counts from now on."""
        current = now // self.width
        if self.first is not None and self.first > current:
            total = sum(c.amount for c in self.charges)
            self.charges, self.first = [Charge(current, total)], current

    def room(self, now: int) -> int:
        self.look(now)
        return self.limit - sum(c.amount for c in self.live(now))

    def take(self, now: int, cost: int) -> Charge:
        self.look(now)
        self.charges = self.live(now)
        self.first = max(self.first or 0, now // self.width - BUCKETS)
        charge = Charge(now // self.width, cost)
        self.charges.append(charge)
        return charge

    def settle(self, now: int, charge: Charge, actual: int) -> None:
        """A charge that a clock fell behind counts elsewhere by now; its bucket may be there
        again, and takes the difference then."""
        if any(c is charge for c in self.live(now)):
            charge.amount = actual
        elif any(c.bucket == charge.bucket for c in self.live(now)):
            self.charges.append(Charge(charge.bucket, actual - charge.amount))
        elif actual > charge.amount:
            self.take(now, actual - charge.amount)

    def wait(self, now: int, cost: int) -> int:
        excess = cost - self.room(now)
        for charge in sorted(self.live(now), key=lambda c: c.bucket):
            excess -= charge.amount
            if excess <= 0:
                return (charge.bucket + BUCKETS + 1) * self.width - now
        raise AssertionError


@dataclass
class Smooth:
    """GCRA in whole microseconds, with an interval in nanoseconds."""

    limit: int
    interval: int
    tolerance: int
    horizon: int
    next: int | None = None
    """Theoretical arrival time."""

    def arrival(self, now: int) -> int:
        return now if self.next is None else min(max(self.next, now), now + self.horizon)

    def conforms(self, now: int) -> bool:
        return self.arrival(now) - now <= self.tolerance

    def room(self, now: int, cost: int) -> int:
        if not self.conforms(now):
            return 0
        burst = (self.tolerance - self.arrival(now) + now) * 1000 // self.interval + 1
        return max(cost, min(self.limit, burst))

    def take(self, now: int, cost: int) -> None:
        self.next = self.arrival(now) - -cost * self.interval // 1000 if cost else self.arrival(now)

    def settle(self, now: int, held: int, actual: int) -> None:
        if actual > held:
            base = max(self.next if self.next is not None else now, now)
            self.next = base - -(actual - held) * self.interval // 1000
        elif actual < held and self.next is not None:
            self.next -= (held - actual) * self.interval // 1000

    def wait(self, now: int) -> int:
        return self.arrival(now) - self.tolerance - now


@dataclass
class Day:
    """A counter per period; the one before last is forgotten when a new one begins."""

    limit: int
    length: int
    used: dict[int, int] = field(default_factory=dict)

    def room(self, now: int) -> int:
        return self.limit - self.used.get(now // self.length, 0)

    def take(self, now: int, cost: int) -> int:
        period = now // self.length
        if period not in self.used:
            self.used.pop(period - 2, None)
        self.used[period] = self.used.get(period, 0) + cost
        return period

    def settle(self, period: int, amount: int, actual: int) -> None:
        if period in self.used:
            self.used[period] += actual - amount

    def wait(self, now: int) -> int:
        return (now // self.length + 1) * self.length - now


@dataclass
class Slots:
    """Leases that expire."""

    limit: int
    leases: dict[str, int] = field(default_factory=dict)

    def take(self, now: int, life: int, id_: str) -> None:
        self._drop_dead(now)
        self.leases[id_] = now + life

    def _drop_dead(self, now: int) -> None:
        self.leases = {i: end for i, end in self.leases.items() if end > now}

    def live(self, now: int) -> int:
        return sum(end > now for end in self.leases.values())

    def room(self, now: int) -> int:
        return self.limit - self.live(now)

    def renew(self, now: int, life: int, id_: str) -> bool:
        """False is an overrun."""
        if self.leases.get(id_, 0) <= now:
            self._drop_dead(now)
            if self.live(now) >= self.limit:
                return False
        self.leases[id_] = now + life
        return True


@dataclass
class Money:
    """Settled, and what is held or unknown, per period."""

    limit: int
    length: int
    settled: dict[int, int] = field(default_factory=dict)
    open: dict[int, int] = field(default_factory=dict)
    """R + U: which of both a hold is in does not change what may be spent."""
    dropped: set[int] = field(default_factory=set)
    """Long over. What the books still hold of them is of no account: a sidecar whose clock is a
    period ahead does not know their names."""

    def room(self, now: int) -> int:
        period = now // self.length
        return self.limit - self.settled.get(period, 0) - self.open.get(period, 0)

    def take(self, now: int, cost: int) -> int:
        period = now // self.length
        if period not in self.open and period not in self.settled:
            self.open.pop(period - 2, None)
            self.settled.pop(period - 2, None)
            self.dropped.add(period - 2)
        self.open[period] = self.open.get(period, 0) + cost
        return period

    def release(self, period: int, amount: int) -> None:
        if period in self.open:
            self.open[period] -= amount

    def hear(self, period: int, amount: int) -> None:
        """Of what was spent, by whoever tells it."""
        self.settled[period] = self.settled.get(period, 0) + amount

    def wait(self, now: int) -> int:
        return (now // self.length + 1) * self.length - now
