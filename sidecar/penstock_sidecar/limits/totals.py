"""What this process has settled, by period: told to Redis as sums, which are safe to repeat.

A sum that Redis heard twice, late or out of order is added once; one that a failover rolled back
is added again by the next. After a total loss of data the largest sum that anybody saw counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from penstock_config.layout import Group
from penstock_sidecar.store import Argument

DAY_SECONDS: Final = 86_400.0
KEPT_DAYS: Final = {"daily": 3, "weekly": 16, "monthly": 64}
"""So long can a period's sum still be asked for: it, and the one after it."""
SILENCE_SECONDS: Final = 1800.0
"""After so long a silence the operator may soon drop our sums from the books: from then on only
what came since is told."""


@dataclass(slots=True)
class Total:
    """One budget's period, of all together or of one user."""

    group: Group
    key: str
    field: str
    settled: int = 0
    """All of it, in micro-USD."""
    told: int = 0
    """That Redis has heard of."""
    base: int = 0
    """What had been told when Redis lost its data: others know it by now."""
    others: int = 0
    """What other processes had settled, when Redis last said."""
    touched: float = 0

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """Total, base and seen, as the scripts want them."""
        return self.settled, self.base, self.others + self.settled

    def heard(self, sent: int, settled: int) -> None:
        """Redis answered that the period's sum is `settled`, having been told `sent`."""
        self.told = max(self.told, sent)
        self.others = max(0, settled - sent)


class Totals:
    """By key and field. Lives as long as the process."""

    def __init__(self) -> None:
        self._totals: dict[tuple[str, str], Total] = {}
        self._sweep_at = 0.0

    def of(self, group: Group, key: str, field: str, now: float) -> Total:
        total = self._totals.get((key, field))
        if total is None:
            self._forget(now)
            total = self._totals[key, field] = Total(group, key, field)
        total.touched = now
        return total

    def within(self, tag: str) -> Iterator[Total]:
        return (total for total in self._totals.values() if total.group.tag == tag)

    def rebase(self, tag: str) -> None:
        """Redis has lost what it was told, or may drop it."""
        for total in self.within(tag):
            total.base = total.told

    def _forget(self, now: float) -> None:
        if now < self._sweep_at:
            return
        self._sweep_at = now + DAY_SECONDS / 24
        self._totals = {
            name: total
            for name, total in self._totals.items()
            if now - total.touched < _kept_seconds(total.field) or total.told < total.settled
        }


def _kept_seconds(field: str) -> float:
    period = field.rsplit(":", 2)[-2]
    return KEPT_DAYS[period] * DAY_SECONDS if period in KEPT_DAYS else float("inf")
