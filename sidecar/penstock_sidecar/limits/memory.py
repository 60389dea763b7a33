"""What a process remembers of the books, over all its configurations.

Redis may lose its data, or fall back to an older state of it. Each group's epoch and sequence
number tell; then it is `disturbed`, until it has been told again what this process knows.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from penstock_sidecar.clock import Clock
from penstock_sidecar.limits.journal import Journal
from penstock_sidecar.limits.shares import Shares
from penstock_sidecar.limits.totals import SILENCE_SECONDS, Totals
from penstock_sidecar.metering.learned import TokenRatios

PROCESS_BYTES: Final = 6
EPOCH_BITS: Final = 48
"""Lua's numbers hold 53."""


@dataclass(slots=True)
class Books:
    """How a group's data was when it last answered."""

    epoch: int = 0
    sequence: int = 0
    disturbed: bool = True
    """Not told yet all that this process knows."""
    heard: float = 0
    """When the process was last told alive."""
    processes: int = 1


@dataclass(slots=True)
class Memory:
    """Made once per process."""

    clock: Clock
    shares: Shares
    journal: Journal
    totals: Totals = field(default_factory=Totals)
    ratios: TokenRatios = field(default_factory=TokenRatios)
    process: str = field(default_factory=lambda: secrets.token_hex(PROCESS_BYTES))
    _epochs: "count[int]" = field(default_factory=lambda: count(secrets.randbits(EPOCH_BITS) + 1))
    _inherited: bool = False
    _books: dict[str, Books] = field(default_factory=dict)

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

    def new_epoch(self) -> int:
        """Never one that was used before: else a second loss would look like none."""
        return next(self._epochs)

    def adopt(self, tag: str, epoch: int) -> None:
        """Redis has other data than what is remembered."""
        books = self.books(tag)
        if books.epoch:
            self.totals.rebase(tag)
            self.shares.forgotten(tag)
            books.disturbed = True
        books.epoch, books.sequence = epoch, 0

    def saw(self, tag: str, sequence: int) -> bool:
        """True where the group has fallen back to an older state."""
        books = self.books(tag)
        back = sequence < books.sequence
        books.sequence = sequence
        books.disturbed = books.disturbed or back
        return back

    def told_alive(self, tag: str, processes: int) -> None:
        books = self.books(tag)
        books.heard, books.processes = self.clock.monotonic(), processes

    def silent(self, tag: str) -> bool:
        """Unheard for so long that its sums may have been dropped."""
        heard = self.books(tag).heard
        return bool(heard) and self.clock.monotonic() - heard > SILENCE_SECONDS
