"""What this process has settled, by period: told to Redis as sums, which are safe to repeat.

A sum that Redis heard twice, late or out of order is added once; one that a failover rolled back
is added again by the next. After a total loss of data what all processes settled together is put
together again of what each of them knows: `add_total` in ledger.lua.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from penstock_config.layout import Group

DAY_SECONDS: Final = 86_400.0
KEPT_DAYS: Final = {"daily": 3, "weekly": 16, "monthly": 64}
"""So long can a period's sum still be asked for: it, and the one after it."""


@dataclass(slots=True)
class Total:
    """One budget's period, of all together or of one user. All in micro-USD."""

    group: Group
    key: str
    field: str
    settled: int = 0
    """All of it."""
    told: int = 0
    """That Redis has heard of, in this epoch."""
    kept: int = 0
    """The same, but for what it heard after a silence in which this process may have been dropped:
    of all else it can be sure that it was told here before."""
    base: int = 0
    """That an epoch before may have heard of: others may know it by now."""
    seen: int = 0
    """The least that all had settled together when that epoch ended."""
    others: int = 0
    """What other processes had settled, when Redis last said so in this epoch."""
    ever: int = 0
    """That any epoch before may have heard of."""
    unsure: int = 0
    """The most that was sent in this epoch without an answer ever."""
    sending: list[int] = dataclasses.field(default_factory=list)
    touched: float = 0

    @property
    def arguments(self) -> tuple[int, int, int, int]:
        """Total, told before any silence, base and seen, as the scripts want them."""
        return self.settled, self.kept, self.base, self.seen

    @property
    def after_loss(self) -> tuple[int, int, int, int]:
        """The same for data of a later epoch."""
        return self.settled, 0, max(self.ever, self.sent), max(self.seen, self.others + self.sent)

    @property
    def sent(self) -> int:
        """The most that Redis may have heard of in this epoch."""
        return max(self.told, self.unsure, *self.sending)

    def heard(self, sent: int, settled: int, *, silent: bool) -> None:
        """Redis answered that the period's sum is `settled`, having been told `sent`. `silent`:
        this process has not said for long that it lives."""
        self.told = max(self.told, sent)
        self.kept = self.kept if silent else self.told
        self.others = max(0, settled - sent)

    def lost(self) -> None:
        """A new epoch has begun: Redis may know nothing of this one."""
        _, self.told, self.base, self.seen = self.after_loss
        self.ever = self.base
        self.kept = self.others = self.unsure = 0

    def fell_back(self) -> None:
        """To an epoch before: what it does not know of this process it never heard."""
        self.base = self.ever = max(self.ever, self.sent)
        self.seen = self.told = self.kept = self.others = self.unsure = 0


@dataclass(slots=True)
class Telling:
    """Totals on their way to Redis, as they were when they were sent."""

    totals: Sequence[Total]
    sent: Sequence[int]

    @classmethod
    def of(cls, totals: Sequence[Total]) -> Self:
        for total in totals:
            total.sending.append(total.settled)
        return cls(totals, [total.settled for total in totals])

    def heard(self, sums: Sequence[int], *, silent: bool) -> None:
        self.undone()
        for total, sent, settled in zip(self.totals, self.sent, sums, strict=True):
            total.heard(sent, settled, silent=silent)

    def undone(self) -> None:
        """Redis did nothing, for sure."""
        for total, sent in zip(self.totals, self.sent, strict=True):
            total.sending.remove(sent)

    def unanswered(self) -> None:
        """It may have been heard."""
        self.undone()
        for total, sent in zip(self.totals, self.sent, strict=True):
            total.unsure = max(total.unsure, sent)


class Totals:
    """By group, key and field. Lives as long as the process."""

    def __init__(self) -> None:
        self._totals: dict[str, dict[tuple[str, str], Total]] = {}
        self._sweep_at = 0.0

    def of(self, group: Group, key: str, field: str, now: float) -> Total:
        totals = self._totals.setdefault(group.tag, {})
        total = totals.get((key, field))
        if total is None:
            self._forget(now)
            total = totals[key, field] = Total(group, key, field)
        total.touched = now
        return total

    def within(self, tag: str) -> list[Total]:
        return list(self._totals.get(tag, {}).values())

    def _forget(self, now: float) -> None:
        if now < self._sweep_at:
            return
        self._sweep_at = now + DAY_SECONDS / 24
        for totals in self._totals.values():
            old = [n for n, t in totals.items() if now - t.touched >= _kept_seconds(t.field)]
            for name in old:
                if totals[name].told >= totals[name].settled:
                    del totals[name]


def _kept_seconds(field: str) -> float:
    period = field.rsplit(":", 2)[-2]
    return KEPT_DAYS[period] * DAY_SECONDS if period in KEPT_DAYS else float("inf")
