"""Whose spending is looked at: one account per Budget, one book per place where it is counted."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args

from penstock_config.budget import Budget
from penstock_config.layout import Group, budget_field
from penstock_config.periods import Calendar, Period
from penstock_operator.api.reference import SecretKeyReference
from penstock_operator.compile.problem import ObjectRef

PERIODS: Final[tuple[Period, ...]] = get_args(Period)
SumKey = tuple[Period, str]
"""A kind of period, and the label of one."""


@dataclass(frozen=True, slots=True)
class Span:
    """A kind of period around a moment: the one that runs, and the one before."""

    period: Period
    label: str
    former: str
    begin: float
    """Unix time, in seconds."""
    end: float


@dataclass(frozen=True, slots=True)
class Book:
    """One place in Redis where a budget is counted."""

    group: Group
    field_id: str
    """The budget's id, as fields name it."""
    provider: str = ""
    """Of a provider-wide budget."""

    @property
    def spenders(self) -> str:
        return self.group.spenders(self.field_id)

    def field(self, key: SumKey, kind: str) -> str:
        period, label = key
        return f"{budget_field(self.field_id, period)}:{label}:{kind}"


@dataclass(frozen=True, slots=True)
class Account:
    """A Budget as the ledger sees it. `terms` are its amounts, thresholds and zone."""

    ref: ObjectRef
    uid: str
    generation: int
    created: datetime
    terms: Budget
    books: tuple[Book, ...]
    calendars: tuple[Calendar, ...]
    boost_reason: str = ""
    webhook: SecretKeyReference | None = None

    def spans(self, at: float) -> tuple[Span, ...]:
        """Of every kind of period, whether it has a limit or not."""
        return tuple(span_of(calendar, at) for calendar in self.calendars)

    def amount(self, period: Period, at: float) -> int | None:
        """Micro-USD, with the boost that is in effect; `None` is no limit."""
        amount: int | None = getattr(self.terms.limits, period)
        boost = self.terms.boost
        if amount is None or boost is None or at >= boost.until:
            return amount
        return amount + boost.amount

    def user_period(self) -> Period | None:
        """The longest period in which single users have a limit."""
        given = [p for p in PERIODS if getattr(self.terms.per_user, p) is not None]
        return given[-1] if given else None


def account_of(  # noqa: PLR0913  # what a Budget has that the contract's does not
    ref: ObjectRef,
    uid: str,
    generation: int,
    created: datetime,
    entries: tuple[Budget, ...],
    cluster: str,
    *,
    boost_reason: str = "",
    webhook: SecretKeyReference | None = None,
) -> Account:
    """`entries` are what sidecars are told of the Budget: the same terms, in one or more groups."""
    terms = entries[0]
    return Account(
        ref,
        uid,
        generation,
        created,
        terms,
        tuple(_books(entries, cluster, ref.namespace)),
        tuple(Calendar(period, terms.time_zone) for period in PERIODS),
        boost_reason,
        webhook,
    )


def _books(entries: tuple[Budget, ...], cluster: str, namespace: str) -> Iterator[Book]:
    for entry in entries:
        if entry.provider_wide:
            (provider,) = entry.providers
            yield Book(Group.of_provider(cluster, provider), entry.id, provider)
        else:
            yield Book(Group.of_namespace(cluster, namespace), entry.id)


def span_of(calendar: Calendar, at: float) -> Span:
    begin, end, _, _, former, label, _ = calendar.arguments(at)
    return Span(calendar.period, str(label), str(former), int(begin) / 1e6, int(end) / 1e6)
