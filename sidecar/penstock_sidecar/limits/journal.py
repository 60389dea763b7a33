"""What Redis has not confirmed: a killed sidecar leaves it to the next one.

Whoever reads an entry of a former process may read one that was confirmed already (killed between
Redis's answer and `confirm`), so saying an entry twice must be harmless.
"""

import logging
from pathlib import Path
from typing import Final, Self

from penstock_sidecar.clock import Clock, SystemClock
from penstock_sidecar.limits.journal_disk import Disk

MAX_ENTRIES: Final = 10_000
MAX_BYTES: Final = 4 * 1024 * 1024

logger = logging.getLogger(__name__)


class Journal:
    """Never raises for want of a disk, nor of room: at a bound the oldest entry goes, because the
    totals that newer ones carry cover it."""

    def __init__(self, disk: Disk | None, max_entries: int, max_bytes: int) -> None:
        """See `open`."""
        self._disk = disk
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._entries: dict[int, bytes] = disk.entries if disk else {}
        self._bytes = sum(map(len, self._entries.values()))
        self._last = max(self._entries, default=0)
        self._said_full = False

    @classmethod
    def open(
        cls,
        path: Path | None,
        clock: Clock | None = None,
        *,
        max_entries: int = MAX_ENTRIES,
        max_bytes: int = MAX_BYTES,
    ) -> Self:
        """With what the former process left at `path`; `None` keeps all in memory.

        The directory is locked: it holds one journal, of one process. Blocks until the file is
        read and written anew, so it belongs before the first request.
        """
        disk = Disk.open(path, clock or SystemClock()) if path else None
        journal = cls(disk, max_entries, max_bytes)
        journal._make_room()
        if disk:
            disk.write_anew()
        return journal

    @property
    def on_disk(self) -> bool:
        """What is unconfirmed outlives the process: all of it."""
        return self._disk is not None and self._disk.holds_all

    def append(self, entry: bytes) -> int:
        """The entry's number, larger than all before. One that no journal could hold is dropped."""
        self._last += 1
        if len(entry) > self._max_bytes:
            self._say_full()
            return self._last
        self._make_room(1, len(entry))
        self._entries[self._last] = entry
        self._bytes += len(entry)
        if self._disk:
            self._disk.keep(self._last, entry)
        return self._last

    def confirm(self, number: int) -> None:
        """The entry is done with; one that is not here any more is no error."""
        entry = self._entries.pop(number, None)
        if entry is None:
            return
        self._bytes -= len(entry)
        if self._disk:
            self._disk.forget(number, entry)
        self._said_full = self._said_full and bool(self._entries)

    def unconfirmed(self) -> list[tuple[int, bytes]]:
        """A copy, in order."""
        return list(self._entries.items())

    def __len__(self) -> int:
        return len(self._entries)

    def close(self) -> None:
        """Lets go of the file, and removes it when nothing is left in it. What comes now stays in
        memory."""
        if self._disk:
            self._disk.close()
            self._disk = None

    def _make_room(self, entries: int = 0, size: int = 0) -> None:
        while (
            len(self._entries) + entries > self._max_entries or self._bytes + size > self._max_bytes
        ):
            self._say_full()
            self.confirm(next(iter(self._entries)))

    def _say_full(self) -> None:
        if not self._said_full:
            self._said_full = True
            logger.warning("limits.journal_full", extra={"entries": len(self._entries)})
