"""Settling off the caller's path: owned, retried while Redis is away, awaited at the end.

What could not be said waits in a bounded journal. Nothing is lost while the process lives, unless
the journal overflows; then the oldest goes, and its hold expires as unsettled.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

from penstock_sidecar.limits.ledger import End, Ledger, Place
from penstock_sidecar.store import StoreUnavailable

JOURNAL_LENGTH: Final = 10_000
MOST_GIVEN_BACK: Final = JOURNAL_LENGTH // 2
"""Beyond so many entries a hold that may never have been taken is left to expire: every request
while Redis is away has one, and they must not push out what was really used."""
RETRY_SECONDS: Final = 0.25
FLUSH_SECONDS: Final = 2.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settlement:
    """One call of `settle`; saying it twice is harmless."""

    place: Place
    ends: Sequence[End]

    @property
    def gives_back_only(self) -> bool:
        return not any(end.requests or end.tokens or end.micro_usd for end in self.ends)


class Settlements:
    """Every settlement is tried at once, by a task that lives here."""

    def __init__(self, ledger: Ledger, retry_seconds: float = RETRY_SECONDS) -> None:
        self._ledger = ledger
        self._retry_seconds = retry_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._journal: deque[Settlement] = deque(maxlen=JOURNAL_LENGTH)
        self._pump: asyncio.Task[None] | None = None

    @property
    def journal_length(self) -> int:
        return len(self._journal)

    def settle(self, place: Place, ends: Sequence[End]) -> asyncio.Task[None]:
        """Begin; the task never fails, and is done when Redis knows or the journal does."""
        said = self._ledger.settle(place, ends)
        task = asyncio.get_running_loop().create_task(self._try(Settlement(place, ends), said))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def settled(self) -> None:
        """Returns when Redis has heard all that was said until now, however long it is away."""
        await asyncio.gather(*self._tasks)
        if self._pump:
            await asyncio.wait([self._pump])

    async def close(self) -> None:
        """Waits for all; what Redis will not hear within two seconds is given up, and said."""
        await asyncio.gather(*self._tasks)
        if self._pump:
            await asyncio.wait([self._pump], timeout=FLUSH_SECONDS)
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
        if self._journal:
            logger.warning("limits.settlements_lost", extra={"count": len(self._journal)})

    async def _try(self, settlement: Settlement, said: Coroutine[Any, Any, object]) -> None:
        try:
            await said
        except StoreUnavailable:
            if self._ledger.configured:
                self._write_down(settlement)

    def _write_down(self, settlement: Settlement) -> None:
        if settlement.gives_back_only and len(self._journal) >= MOST_GIVEN_BACK:
            return
        if len(self._journal) == JOURNAL_LENGTH:
            logger.warning("limits.journal_full", extra={"length": JOURNAL_LENGTH})
        self._journal.append(settlement)
        if self._pump is None or self._pump.done():
            self._pump = asyncio.get_running_loop().create_task(self._empty_journal())

    async def _empty_journal(self) -> None:
        """In order. An entry leaves only once Redis has heard it."""
        while self._journal:
            first = self._journal[0]
            try:
                await self._ledger.settle(first.place, first.ends)
            except StoreUnavailable:
                await asyncio.sleep(self._retry_seconds)
            else:
                if self._journal and self._journal[0] is first:
                    self._journal.popleft()
