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

    def live(self, now: int) -> list[Charge]:
        return [c for c in self.charges if c.bucket >= now // self.width - BUCKETS]

    def room(self, now: int) -> int:
        return self.limit - sum(c.amount for c in self.live(now))

    def take(self, now: int, cost: int) -> Charge:
        charge = Charge(now // self.width, cost)
        self.charges.append(charge)
        return charge

    def settle(self, now: int, charge: Charge, actual: int) -> None:
        if charge in self.live(now):
            charge.amount = actual
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

    def live(self, now: int) -> int:
        return sum(end > now for end in self.leases.values())

    def room(self, now: int) -> int:
        return self.limit - self.live(now)

    def renew(self, now: int, life: int, id_: str) -> bool:
        """False is an overrun."""
        if self.leases.get(id_, 0) <= now and self.live(now) >= self.limit:
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

    def room(self, now: int) -> int:
        period = now // self.length
        return self.limit - self.settled.get(period, 0) - self.open.get(period, 0)

    def take(self, now: int, cost: int) -> int:
        period = now // self.length
        if period not in self.open:
            self.open.pop(period - 2, None)
            self.settled.pop(period - 2, None)
        self.open[period] = self.open.get(period, 0) + cost
        return period

    def settle(self, period: int, amount: int, actual: int) -> None:
        if period in self.open:
            self.open[period] -= amount
            self.settled[period] = self.settled.get(period, 0) + actual

    def wait(self, now: int) -> int:
        return (now // self.length + 1) * self.length - now
