"""Thresholds: which have been crossed, and how far each has been told. Pure.

An alert is kept in the Budget's status, first as crossed, then as told: whoever dies between two
steps leaves behind what is still to do. Its key never holds the limit, so that an edited one, a
boost, or a threshold that comes back never tells the same twice.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal

from penstock_config.periods import Period
from penstock_operator.ledger.account import Account, Span, SumKey

MAX_ALERTS: Final = 128
"""As in the CRD."""
AFTERMATH_SECONDS: Final = 3600
"""How long after its end a period is looked at: for what was settled in its last moments."""
Delivery = Literal["NotAsked", "Pending", "Delivered", "GivenUp"]
AlertKey = tuple[Period, str, int]


@dataclass(frozen=True, slots=True)
class Alert:
    """One threshold, crossed in one period. Amounts are micro-USD, as they were then."""

    period: Period
    label: str
    percent: int
    limit: int
    spent: int
    at: datetime
    told: bool = False
    delivery: Delivery = "NotAsked"

    @property
    def key(self) -> AlertKey:
        return self.period, self.label, self.percent

    @property
    def open(self) -> bool:
        """Whether somebody is still to be told."""
        return not self.told or self.delivery == "Pending"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far telling has come since the status was written."""

    told: bool = False
    delivery: Delivery | None = None


def update(
    account: Account,
    former: Iterable[Alert],
    spent: Mapping[SumKey, int],
    progress: Mapping[AlertKey, Progress],
    at: float,
) -> tuple[Alert, ...]:
    """All alerts that the status should hold: `spent` is micro-USD by period, unsettled included.

    Those of periods long over go once everybody was told. New ones wait where there is no room:
    alerts that are still in force are never forgotten, lest they be told again.
    """
    spans = account.spans(at)
    labels = {(span.period, label) for span in spans for label in (span.label, span.former)}
    kept = [
        _progressed(alert, progress.get(alert.key, Progress()))
        for alert in former
        if alert.open or (alert.period, alert.label) in labels
    ]
    known = {alert.key for alert in kept}
    new = [alert for alert in _crossed(account, spans, spent, at) if alert.key not in known]
    return tuple(sorted((*kept, *new[: max(0, MAX_ALERTS - len(kept))]), key=_oldest_first))


def _oldest_first(alert: Alert) -> tuple[datetime, AlertKey]:
    return alert.at, alert.key


def _progressed(alert: Alert, progress: Progress) -> Alert:
    delivery = progress.delivery or alert.delivery
    return replace(alert, told=alert.told or progress.told, delivery=delivery)


def _crossed(
    account: Account, spans: Iterable[Span], spent: Mapping[SumKey, int], at: float
) -> Iterator[Alert]:
    when = datetime.fromtimestamp(at, UTC).replace(microsecond=0)
    delivery: Delivery = "NotAsked" if account.webhook is None else "Pending"
    for span in spans:
        for label, moment in _looked_at(account, span, at):
            limit, amount = account.amount(span.period, moment), spent.get((span.period, label), 0)
            if limit is None:
                continue
            for percent in account.terms.alert_thresholds_percent:
                if is_crossed(amount, limit, percent):
                    yield Alert(span.period, label, percent, limit, amount, when, delivery=delivery)


def _looked_at(account: Account, span: Span, at: float) -> Iterator[tuple[str, float]]:
    """Labels, and the moment whose limit counts: of a period that is over its last."""
    yield span.label, at
    ended_lately = at - span.begin < AFTERMATH_SECONDS
    if span.former != span.label and ended_lately and account.created.timestamp() < span.begin:
        yield span.former, span.begin - 1


def is_crossed(spent: int, limit: int, percent: int) -> bool:
    """A limit of nothing is crossed by the first micro-dollar, not before."""
    return spent > 0 and spent * 100 >= percent * limit
