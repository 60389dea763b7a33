"""Old fields out of the books, a bounded part at a time.

state      sums of periods older than the last one; what a process told that fell silent
members    processes that fell silent
spenders   users of periods that are over
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from penstock_config.layout import PROCESS, Group
from penstock_config.periods import Calendar, Period
from penstock_operator.ledger.account import PERIODS, Account, Book
from penstock_operator.ledger.reading import Page
from penstock_operator.ledger.store import LedgerAway, Script, Store

SILENT_US: Final = 3_600_000_000
FORGOTTEN_US: Final = 2 * SILENT_US
"""Later than their fields go, or they would be met anew while these are there."""
PAGES: Final = 200
"""Steps of a scan in one call of `clean`."""
STEP: Final = 500
"""Fields that a step looks at, about."""
FIELD_PARTS: Final = 5


@dataclass(frozen=True, slots=True)
class Field:
    """A budget's field, in parts."""

    budget_id: str
    period: Period
    label: str
    kind: str


Labels = Mapping[tuple[str, Period], frozenset[str]]
"""Those to be kept, by budget and kind of period."""


class Housekeeper:
    """Goes over the groups again and again, and on from where it stopped."""

    def __init__(self, store: Store, pages: int = PAGES) -> None:
        self._store = store
        self._pages = pages
        self._fold = Script("fold.lua")
        self._tag = ""
        """Of the group that was cleaned last, or is half clean."""
        self._cursor = 0

    async def clean(self, accounts: Sequence[Account], at: float) -> None:
        """Every group once, if `pages` steps are enough for that; `at` is Redis's clock."""
        groups = {book.group.tag: book.group for a in accounts for book in a.books}
        labels = kept_labels(accounts, at)
        steps = self._pages
        for tag in self._from_here(groups):
            self._cursor = self._cursor if tag == self._tag else 0
            self._tag = tag
            try:
                steps = await self._clean_group(groups[tag], labels, at, steps)
            except LedgerAway:
                self._cursor = 0  # go on with the next: it may be what one namespace wrote
                raise
            if self._cursor:
                return

    def _from_here(self, groups: Iterable[str]) -> list[str]:
        """A half clean group first, then those after it, then from the beginning."""
        tags = sorted(groups)
        after = [t for t in tags if t > self._tag or (t == self._tag and self._cursor)]
        return after + [tag for tag in tags if tag not in after]

    async def _clean_group(self, group: Group, labels: Labels, at: float, steps: int) -> int:
        """Steps left. The cursor is 0 once the group is clean."""
        while steps > 0:
            steps -= 1
            reply = (await self._store.ask([("HSCAN", group.state, self._cursor, "COUNT", STEP)]))[
                0
            ]
            if reply is None:
                break
            cursor, fields = _scanned(reply)
            await self._drop(group, fields, labels, at)
            self._cursor = cursor
            if not cursor:
                oldest = round(at * 1e6) - FORGOTTEN_US
                await self._store.ask([("ZREMRANGEBYSCORE", group.members, "-inf", oldest)])
                return steps
        return steps

    async def _drop(self, group: Group, fields: list[bytes], labels: Labels, at: float) -> None:
        parsed = [(field, found) for field in fields if (found := parse_field(field)) is not None]
        old = [field for field, found in parsed if not is_kept(found, labels, at)]
        told: list[str | bytes] = []
        for field, found in parsed:
            if found.kind.startswith(PROCESS) and is_kept(found, labels, at):
                told += [found.kind.removeprefix(PROCESS), field]
        if old:
            await self._store.ask([("HDEL", group.state, *old)])
        if told:
            keys = [group.state, group.members]
            await self._store.run(self._fold, keys, SILENT_US, *told)


async def trim_spenders(store: Store, reading: Mapping[Book, Page]) -> None:
    """Drops what the reading met of other periods: the next one meets what lay below."""
    await store.ask(
        [("ZREM", b.spenders, *page.stale) for b, page in reading.items() if page.stale]
    )


def kept_labels(accounts: Iterable[Account], at: float) -> Labels:
    return {
        (account.terms.id, span.period): frozenset({span.label, span.former})
        for account in accounts
        for span in account.spans(at)
    }


def parse_field(field: bytes) -> Field | None:
    """`None` for what is no budget's: it is not ours to drop."""
    parts = field.decode("utf-8", "replace").split(":", FIELD_PARTS - 1)
    if len(parts) < FIELD_PARTS or parts[0] != "budget":
        return None
    period = next((each for each in PERIODS if each == parts[2]), None)
    return None if period is None else Field(parts[1], period, parts[3], parts[4])


def is_kept(field: Field, labels: Labels, at: float) -> bool:
    """Of a budget that is gone a period more is kept: its zone is not known."""
    kept = labels.get((field.budget_id, field.period))
    if kept is None:
        *_, before, last, this, following = Calendar(field.period).arguments(at)
        kept = frozenset({str(before), str(last), str(this), str(following)})
    # The next period may have begun since `at` was read.
    return field.label in kept or field.label > max(kept)


def _scanned(reply: tuple[int, Mapping[bytes, bytes]]) -> tuple[int, list[bytes]]:
    """Names alone, though HSCAN sends the values too (NOVALUES came with Redis 7.4)."""
    cursor, fields = reply
    return int(cursor), list(fields)
