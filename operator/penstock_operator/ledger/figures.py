"""What an account's books say together. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from penstock_operator.ledger.account import Account, Book, Span, SumKey
from penstock_operator.ledger.reading import Page, Reading, Sums
from penstock_operator.ledger.record import Record

TOP_USERS: Final = 20
MAX_USER_CHARACTERS: Final = 256
NOTHING: Final = Sums()


@dataclass(frozen=True, slots=True)
class Line:
    """One period that has a limit, as it runs. Money is micro-USD."""

    span: Span
    limit: int
    sums: Sums
    provider: str

    @property
    def key(self) -> SumKey:
        return self.span.period, self.span.label

    @property
    def is_exhausted(self) -> bool:
        """Reservations end, and are no reason to cry."""
        return self.sums.spent >= self.limit

    @property
    def percent(self) -> int:
        return 100 * self.sums.used // self.limit if self.limit else 100


@dataclass(frozen=True, slots=True)
class Figures:
    """An account at one moment."""

    at: float
    """Unix time by Redis's clock, in seconds."""
    lines: tuple[Line, ...]
    spent: Mapping[SumKey, int]
    """Settled and unsettled, also of the last periods; of several books the most."""
    by_provider: Mapping[tuple[str, SumKey], int]
    """Settled in each of several books, in running periods."""
    top_users: tuple[tuple[str, int], ...]


def figures_of(account: Account, reading: Reading, record: Record, at: float) -> Figures | None:
    """`None` unless every book could be read: half a sum is none."""
    pages = {book: reading[book] for book in account.books if book in reading}
    if len(pages) < len(account.books):
        return None
    whole = {book: _with_known(page, record.known(book)) for book, page in pages.items()}
    spans = [span for span in account.spans(at) if account.amount(span.period, at) is not None]
    return Figures(
        at,
        tuple(_line(account, span, whole, at) for span in spans),
        _spent(whole.values()),
        _by_provider(whole, spans) if len(whole) > 1 else {},
        _top_users(pages.values()),
    )


def _with_known(page: Page, known: Mapping[SumKey, int]) -> dict[SumKey, Sums]:
    """Never less than was known before: what a Redis has lost is on its way back there."""
    return {
        key: replace(sums, settled=max(sums.settled, known.get(key, 0)))
        for key, sums in page.sums.items()
    }


def _line(
    account: Account, span: Span, books: Mapping[Book, Mapping[SumKey, Sums]], at: float
) -> Line:
    key = (span.period, span.label)
    tightest = max(sorted(books, key=lambda b: b.provider), key=lambda b: books[b][key].used)
    limit = account.amount(span.period, at) or 0
    return Line(span, limit, books[tightest][key], tightest.provider)


def _spent(books: Iterable[Mapping[SumKey, Sums]]) -> dict[SumKey, int]:
    most: dict[SumKey, int] = {}
    for sums in books:
        for key, each in sums.items():
            most[key] = max(most.get(key, 0), each.spent)
    return most


def _by_provider(
    books: Mapping[Book, Mapping[SumKey, Sums]], spans: Iterable[Span]
) -> dict[tuple[str, SumKey], int]:
    keys = [(span.period, span.label) for span in spans]
    return {(book.provider, key): books[book][key].settled for book in books for key in keys}


def _top_users(pages: Iterable[Page]) -> tuple[tuple[str, int], ...]:
    """By what they spent, then by name. Names that look alike when shown count as one."""
    total: Counter[str] = Counter()
    for page in pages:
        for name, amount in _shown(page.spenders):
            total[name] += amount
    ranked = sorted(total.items(), key=lambda item: (-item[1], item[0]))
    return tuple(ranked[:TOP_USERS])


def _shown(spenders: Mapping[bytes, int]) -> Iterator[tuple[str, int]]:
    for user, amount in spenders.items():
        yield user.decode("utf-8", "replace")[:MAX_USER_CHARACTERS], amount
