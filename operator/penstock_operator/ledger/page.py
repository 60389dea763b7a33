"""The ledger's part of a Budget's status, and what is news in it. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from penstock_operator.ledger.account import Account
from penstock_operator.ledger.alerts import Alert, is_crossed
from penstock_operator.ledger.figures import Figures, Line
from penstock_operator.ledger.record import Record, usd
from penstock_operator.status import BudgetConditionType, BudgetReason, Condition

Document = dict[str, Any]
REFRESH: Final = timedelta(minutes=5)
"""How old `observedTime` may become where nothing else changes."""
UNAVAILABLE: Final = (
    "Redis does not answer the operator, so the figures are those of observedTime: see its log."
)
Verdict = tuple[Literal["True", "False", "Unknown"], BudgetReason, str]


@dataclass(frozen=True, slots=True)
class News:
    """Something to be said in an Event; the same occasion is said once."""

    type: Literal["Normal", "Warning"]
    reason: Literal[
        "AlertThresholdReached", "Exhausted", "BoostBegan", "BoostEnded", "NotifyGivenUp"
    ]
    message: str
    occasion: tuple[str, ...]


def status_of(
    account: Account, figures: Figures, alerts: Iterable[Alert], record: Record
) -> Document:
    """All that the ledger says of the account; empty lists are left out, as the API server does."""
    now = _moment(figures.at)
    lists = {
        "periods": [_period(line) for line in figures.lines],
        "providers": [
            {"provider": provider, "period": period, "label": label, "spent": usd(amount)}
            for (provider, (period, label)), amount in sorted(figures.by_provider.items())
        ],
        "topUsers": [{"user": user, "spent": usd(amount)} for user, amount in figures.top_users],
        "alerts": [_alert(alert) for alert in alerts],
        "conditions": [c.document() for c in _conditions(account, figures, record, now)],
    }
    document: Document = {name: entries for name, entries in lists.items() if entries}
    if boost := _boost(account, figures.at):
        document["boost"] = boost
    document["observedTime"] = _text(now)
    return document


def status_without_redis(account: Account, record: Record, now: datetime) -> Document:
    """The last figures, and that nobody knows how it stands."""
    verdict: Verdict = ("Unknown", "RedisUnavailable", UNAVAILABLE)
    unknown = _condition("WithinBudget", verdict, account, record, now).document()
    others = [c for c in record.document.get("conditions", ()) if c["type"] != "WithinBudget"]
    return {**record.document, "conditions": [unknown, *others]}


def is_worth_writing(document: Document, record: Record) -> bool:
    """Whether anything changed, or the figures there look old."""
    if _without_time(document) != _without_time(record.document):
        return True
    if "observedTime" not in document or record.observed is None:
        return False
    return datetime.fromisoformat(document["observedTime"]) - record.observed >= REFRESH


def news_of(account: Account, figures: Figures, record: Record) -> Iterator[News]:
    """What is to be said before the status is written: it is found by comparing with the former."""
    for line in figures.lines:
        if line.is_exhausted and line.key not in record.exhausted:
            yield News("Warning", "Exhausted", _exhausted(line), ("Exhausted", *line.key))
    before, after = record.document.get("boost"), _boost(account, figures.at)
    if before and before != after:
        text = "The boost is over: the limits are in force as they stand."
        yield News("Normal", "BoostEnded", text, _occasion(before))
    if after and before != after:
        text = f"{after['amountUSD']} USD more until {after['until']}: {after['reason']}"
        yield News("Normal", "BoostBegan", text, _occasion(after))


def alert_news(alert: Alert) -> News:
    text = (
        f"{usd(alert.spent)} USD are spent, {alert.percent} % or more of the {alert.period} limit"
        f" of {usd(alert.limit)} USD (period {alert.label})."
    )
    occasion = (alert.period, alert.label, str(alert.percent))
    return News("Warning", "AlertThresholdReached", text, occasion)


def given_up_news(alert: Alert, why: str) -> News:
    text = f"notify was not told of {alert.percent} % of the {alert.period} limit: {why}"
    return News("Warning", "NotifyGivenUp", text, (alert.period, alert.label, str(alert.percent)))


def _occasion(boost: Document) -> tuple[str, ...]:
    return str(boost["until"]), str(boost["amountUSD"]), str(boost["reason"])


def _conditions(
    account: Account, figures: Figures, record: Record, now: datetime
) -> Iterator[Condition]:
    verdicts: dict[BudgetConditionType, Verdict] = {
        "WithinBudget": _within(figures),
        "AlertThresholdReached": _threshold(account, figures),
        "Exhausted": _is_exhausted(figures),
    }
    for type_, verdict in verdicts.items():
        yield _condition(type_, verdict, account, record, now)


def _condition(
    type_: BudgetConditionType, verdict: Verdict, account: Account, record: Record, now: datetime
) -> Condition:
    before = record.conditions.get(type_)
    since = before.since if before is not None and before.status == verdict[0] else now
    return Condition(type_, *verdict, account.generation, since)


def _within(figures: Figures) -> Verdict:
    if out := [line for line in figures.lines if line.is_exhausted]:
        return "False", "LimitReached", _exhausted(out[0])
    return "True", "WithinBudget", "Every limit has money left."


def _is_exhausted(figures: Figures) -> Verdict:
    if out := [line for line in figures.lines if line.is_exhausted]:
        return "True", "LimitReached", _exhausted(out[0])
    return "False", "MoneyLeft", "Every limit has money left."


def _exhausted(line: Line) -> str:
    after = f" until {_text(_moment(line.span.end))}" if line.span.period != "total" else ""
    return (
        f"The {line.span.period} limit of {usd(line.limit)} USD is spent{after}: raise it, set"
        " spec.boost, or wait."
    )


def _threshold(account: Account, figures: Figures) -> Verdict:
    crossed = [
        (percent, line.span.period)
        for line in figures.lines
        for percent in account.terms.alert_thresholds_percent
        if is_crossed(line.sums.spent, line.limit, percent)
    ]
    if not crossed:
        return "False", "BelowThresholds", "Spending is below every alert threshold."
    percent, period = max(crossed, key=lambda found: found[0])
    return "True", "ThresholdCrossed", f"{percent} % or more of the {period} limit are spent."


def _period(line: Line) -> Document:
    left = line.limit - line.sums.used
    document: Document = {
        "name": line.span.period,
        "label": line.span.label,
        "limit": usd(line.limit),
        "spent": usd(line.sums.settled),
        "reserved": usd(line.sums.reserved),
        "unsettled": usd(line.sums.unsettled),
        "remaining": usd(left),
        "utilisationPercent": line.percent,
    }
    if line.provider:
        document["provider"] = line.provider
    if line.span.period != "total":
        document["resetsAt"] = _text(_moment(line.span.end))
    return document


def _alert(alert: Alert) -> Document:
    return {
        "period": alert.period,
        "label": alert.label,
        "percent": alert.percent,
        "limit": usd(alert.limit),
        "spent": usd(alert.spent),
        "time": _text(alert.at),
        "told": alert.told,
        "webhook": alert.delivery,
    }


def _boost(account: Account, at: float) -> Document | None:
    """The boost, if it is in effect and there is something that it raises."""
    boost = account.terms.boost
    if boost is None or at >= boost.until:
        return None
    until = _text(_moment(boost.until))
    return {"amountUSD": usd(boost.amount), "until": until, "reason": account.boost_reason}


def _without_time(document: Mapping[str, Any]) -> Document:
    return {name: value for name, value in document.items() if name != "observedTime"}


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).replace(microsecond=0)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
