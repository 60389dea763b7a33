"""What a Budget's status said last: the ledger's memory over restarts, and over losses of Redis.

Read leniently: whoever can edit a status can write anything, and what cannot be read is not known.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from penstock_operator.compile.money import micro_usd
from penstock_operator.ledger.account import Book, SumKey
from penstock_operator.ledger.alerts import Alert
from penstock_operator.status import Former, former_conditions

Document = Mapping[str, Any]
OWN_FIELDS: Final = ("periods", "providers", "topUsers", "alerts", "boost", "observedTime")
OWN_CONDITIONS: Final = ("WithinBudget", "AlertThresholdReached", "Exhausted")
MICRO_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Record:
    """The ledger's part of a status, parsed."""

    document: Document = field(default_factory=dict)
    settled: Mapping[tuple[str, SumKey], int] = field(default_factory=dict)
    """Micro-USD by provider (empty: the namespace's own sum) and period."""
    exhausted: frozenset[SumKey] = frozenset()
    alerts: tuple[Alert, ...] = ()
    conditions: Mapping[str, Former] = field(default_factory=dict)
    observed: datetime | None = None

    def known(self, book: Book) -> dict[SumKey, int]:
        """What was settled in the book when the status was written."""
        return {key: sum_ for (at, key), sum_ in self.settled.items() if at == book.provider}


def usd(micro: int) -> str:
    """Exact, with two decimals at least: `4.25`, `0.000001`."""
    whole, rest = divmod(max(0, micro), 10**MICRO_DIGITS)
    text = f"{rest:0{MICRO_DIGITS}d}".rstrip("0")
    return f"{whole}.{text:0<2}"


def record_of(status: Document) -> Record:
    """The record of what `status` says, parts of other writers left out."""
    document = {name: status[name] for name in OWN_FIELDS if name in status}
    conditions = [c for c in _objects(status, "conditions") if c.get("type") in OWN_CONDITIONS]
    if conditions:
        document["conditions"] = conditions
    return Record(
        document,
        dict(_settled(document)),
        frozenset(_exhausted(document)),
        tuple(_alerts(document)),
        former_conditions(conditions),
        _time(document.get("observedTime")),
    )


def _settled(document: Document) -> Iterator[tuple[tuple[str, SumKey], int]]:
    for entries, name in (("periods", "name"), ("providers", "period")):
        for entry in _objects(document, entries):
            key, amount = _key(entry, name), _micro(entry.get("spent"))
            if key is not None and amount is not None:
                yield (str(entry.get("provider", "")), key), amount


def _exhausted(document: Document) -> Iterator[SumKey]:
    for entry in _objects(document, "periods"):
        key, limit = _key(entry, "name"), _micro(entry.get("limit"))
        spent = (_micro(entry.get("spent")) or 0) + (_micro(entry.get("unsettled")) or 0)
        if key is not None and limit is not None and spent >= limit:
            yield key


def _alerts(document: Document) -> Iterator[Alert]:
    for entry in _objects(document, "alerts"):
        key, at = _key(entry, "period"), _time(entry.get("time"))
        percent = entry.get("percent")
        if key is None or at is None or not isinstance(percent, int):
            continue
        delivery = entry.get("webhook")
        yield Alert(
            *key,
            percent,
            _micro(entry.get("limit")) or 0,
            _micro(entry.get("spent")) or 0,
            at,
            told=entry.get("told") is True,
            delivery=delivery if delivery in ("Pending", "Delivered", "GivenUp") else "NotAsked",
        )


def _objects(document: Document, name: str) -> Iterable[Document]:
    found = document.get(name)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _key(entry: Document, name: str) -> SumKey | None:
    period, label = entry.get(name), entry.get("label")
    if period not in ("daily", "weekly", "monthly", "total") or not isinstance(label, str):
        return None
    return period, label


def _micro(text: object) -> int | None:
    try:
        return micro_usd(text) if isinstance(text, str) and Decimal(text) >= 0 else None
    except ArithmeticError:  # no number, or one without end
        return None


def _time(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
