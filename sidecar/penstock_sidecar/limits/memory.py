"""What a process remembers of the books, over all its configurations.

Redis may lose its data, or fall back to an older state of it: each group's epoch and sequence
number tell. Where a connection was lost it may have done so unseen, for others count on. Then it
is told again what this process knows, by every `Presence` there is: each has holds of its own.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from penstock_sidecar.clock import MICROSECONDS, Clock
from penstock_sidecar.limits.headroom import Headroom
from penstock_sidecar.limits.journal import Journal
from penstock_sidecar.limits.shares import Shares
from penstock_sidecar.limits.totals import Totals
from penstock_sidecar.metering.learned import TokenRatios

PROCESS_BYTES: Final = 6
SILENCE_US: Final = 1_800_000_000
"""The operator drops what a process told of whom it did not hear for twice as long."""


@dataclass(slots=True)
class Books:
    """How a group's data was when it last answered."""

    epoch: int = 0
    sequence: int = 0
    disturbances: int = 0
    """So often was the data seen to be not what it had been."""
    doubts: int = 0
    """So often was a connection lost: what was said lately may be forgotten."""
    heard_us: int = 0
    """When the process last said in this epoch that it lives, by Redis's clock."""
    latest_us: int = 0
    """The same, but for one who was silent and has not told his totals again."""
    heard_at: float = 0
    """The same by the clock of this process."""
    processes: int = 1


@dataclass(slots=True)
class Memory:
    """Made once per process."""

    clock: Clock
    shares: Shares
    journal: Journal
    totals: Totals = field(default_factory=Totals)
    ratios: TokenRatios = field(default_factory=TokenRatios)
    headroom: Headroom = field(init=False)
    process: str = field(default_factory=lambda: secrets.token_hex(PROCESS_BYTES))
    listeners: set[Callable[[], None]] = field(default_factory=set)
    """Called when there is a connection again: now what was forgotten can be told."""
    _inherited: bool = False
    _books: dict[str, Books] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.headroom = Headroom(self.clock)

    def books(self, tag: str) -> Books:
        found = self._books.get(tag)
        if found is None:
            found = self._books[tag] = Books()
        return found

    def inheritance(self) -> Sequence[tuple[int, bytes]]:
        """What a former process left in the journal; given once."""
        if self._inherited:
            return ()
        self._inherited = True
        return self.journal.unconfirmed()

    def adopt(self, tag: str, epoch: int) -> bool:
        """Redis has another epoch's data: true where that is news. A later one knows nothing that
        was told before; an earlier one is older data that came back."""
        books = self.books(tag)
        known, lost = books.epoch, epoch > books.epoch
        if epoch == known:
            return False
        books.epoch, books.sequence = epoch, 0
        books.heard_us = books.latest_us = 0
        if not known:
            return False
        for total in self.totals.within(tag):
            total.lost() if lost else total.fell_back()
        self.shares.forgotten(tag)
        books.disturbances += 1
        return True

    def saw(self, tag: str, sequence: int, *, changed: bool) -> bool:
        """True where the group has fallen back to an older state. `changed`: that call made the
        number grow."""
        books = self.books(tag)
        back = sequence - changed < books.sequence
        books.sequence = sequence
        books.disturbances += back
        return back

    def doubt(self) -> None:
        """A connection was lost: the next one may lead to an older state, and nobody would see."""
        for books in self._books.values():
            books.doubts += 1

    def connected(self) -> None:
        """A connection was made. Between two, nobody may have asked for anything: then no call
        failed, and nothing else shows that one was lost."""
        self.doubt()
        for listener in self.listeners:
            listener()

    def silent(self, tag: str) -> bool:
        """Whether what this process told may have been dropped, and is not told again yet."""
        books = self.books(tag)
        return bool(books.heard_us) and (
            self.clock.monotonic() - books.heard_at > SILENCE_US / MICROSECONDS
        )

    def told_alive(self, tag: str, processes: int, now_us: int) -> None:
        books = self.books(tag)
        was_silent = books.latest_us == books.heard_us < now_us - SILENCE_US and books.heard_us
        books.disturbances += bool(was_silent)
        if books.latest_us == books.heard_us and not was_silent:
            books.heard_us, books.heard_at = now_us, self.clock.monotonic()
        books.processes, books.latest_us = processes, now_us

    def told_all(self, tag: str) -> None:
        """Whatever was dropped in a silence is there again."""
        books = self.books(tag)
        books.heard_us, books.heard_at = books.latest_us, self.clock.monotonic()
        for total in self.totals.within(tag):
            total.kept = total.told
