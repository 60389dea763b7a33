"""All accounts' sums out of Redis, in few round trips."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from penstock_config.layout import RESERVED, SETTLED, UNSETTLED
from penstock_operator.ledger.account import Account, Book, Span, SumKey
from penstock_operator.ledger.store import Command, Store

KINDS: Final = (SETTLED, RESERVED, UNSETTLED)
MAX_SUM: Final = 10**18 - 1
"""Twelve digits of dollars, as in the CRD. Whoever has a namespace's login may write more."""
SPENDERS: Final = 100
"""Read for the twenty that are shown: some may be of a period that is over."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Micro-USD of one period."""

    settled: int = 0
    reserved: int = 0
    unsettled: int = 0

    @property
    def spent(self) -> int:
        """What is gone, or counts as gone."""
        return self.settled + self.unsettled

    @property
    def used(self) -> int:
        return self.spent + self.reserved


@dataclass(frozen=True, slots=True)
class Page:
    """What one book says."""

    sums: Mapping[SumKey, Sums] = field(default_factory=dict)
    spenders: Mapping[bytes, int] = field(default_factory=dict)
    """Micro-USD by user, of the running period alone."""
    stale: tuple[bytes, ...] = ()
    """Members of the list of spenders that are of another period."""


Reading = Mapping[Book, Page]
"""The books that could be read, of those that were asked for."""


async def read(store: Store, accounts: Sequence[Account], at: float) -> Reading:
    """The running period and the last one of each kind, as of `at` (Unix time, Redis's clock)."""
    asked = [(book, account) for account in accounts for book in account.books]
    keys = {account.uid: _keys(account.spans(at)) for account in accounts}
    replies = await store.ask([_sums_command(book, keys[a.uid]) for book, a in asked])
    users = [(book, _user_label(account, at)) for book, account in asked if account.user_period()]
    lists = await store.ask([_spenders_command(book) for book, _ in users])
    spenders = {
        book: _spenders(reply, label)
        for (book, label), reply in zip(users, lists, strict=True)
        if reply is not None
    }
    found = {}
    for (book, account), reply in zip(asked, replies, strict=True):
        if reply is not None and (sums := _sums(reply, keys[account.uid])) is not None:
            own, stale = spenders.get(book, ({}, ()))
            found[book] = Page(sums, own, stale)
    return found


def _keys(spans: Iterable[Span]) -> tuple[SumKey, ...]:
    found = ((span.period, label) for span in spans for label in (span.label, span.former))
    return tuple(dict.fromkeys(found))


def _sums_command(book: Book, keys: Iterable[SumKey]) -> Command:
    fields = (book.field(key, kind) for key in keys for kind in KINDS)
    return ("HMGET", book.group.state, *fields)


def _sums(reply: Sequence[bytes | None], keys: Sequence[SumKey]) -> dict[SumKey, Sums] | None:
    """`None` where something else than numbers lies there."""
    try:
        numbers = [0 if text is None else max(0, int(text)) for text in reply]
    except ValueError:
        return None
    if max(numbers) > MAX_SUM:
        return None
    width = len(KINDS)
    return {key: Sums(*numbers[width * i : width * (i + 1)]) for i, key in enumerate(keys)}


def _spenders_command(book: Book) -> Command:
    return ("ZREVRANGE", book.spenders, 0, SPENDERS - 1, "WITHSCORES")


def _user_label(account: Account, at: float) -> bytes:
    return next(s.label for s in account.spans(at) if s.period == account.user_period()).encode()


def _spenders(reply: Sequence[Any], label: bytes) -> tuple[dict[bytes, int], tuple[bytes, ...]]:
    """Users of that label with their sums, and members of any other."""
    own: dict[bytes, int] = {}
    stale = []
    for member, score in zip(reply[::2], reply[1::2], strict=True):
        found, _, user = member.partition(b":")
        if found == label:
            own[user] = int(max(0, min(float(score), MAX_SUM)))
        else:
            stale.append(member)
    return own, tuple(stale)
