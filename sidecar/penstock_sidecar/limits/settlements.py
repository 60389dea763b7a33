"""Settling off the caller's path: owned, retried while Redis is away, awaited at the end.

What could not be said waits in a bounded journal, on disk where a directory is given. Nothing is
lost unless the journal overflows; then the oldest goes, and its hold expires as unsettled.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine, Sequence
from typing import Any, Final

import orjson

from penstock_config.layout import Group
from penstock_sidecar.limits.batches import batches
from penstock_sidecar.limits.holds import End, Place
from penstock_sidecar.limits.journal import MAX_ENTRIES, Journal
from penstock_sidecar.limits.ledger import LastWords, Ledger
from penstock_sidecar.store import StoreUnavailable
from penstock_sidecar.values import dataclass

RETRY_SECONDS: Final = 0.25
FLUSH_SECONDS: Final = 2.0
MOST_GIVEN_BACK: Final = MAX_ENTRIES // 2
"""Beyond so many entries a hold that may never have been taken is left to expire: they must not
push out what was really used."""
RECENT: Final = 10_000
RECENT_SECONDS: Final = 10.0
"""Settlements so young are said again after a failover: holds that come back are ended again. What
is older than a replica lags ends by itself, its money unsettled."""
AT_ONCE: Final = 16
"""Calls that new ones may have to wait for."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settlement:
    """One call of `settle`; saying it twice is harmless."""

    place: Place
    ends: Sequence[End]

    @property
    def gives_back_only(self) -> bool:
        return not any(e.requests or e.tokens or e.sums or not e.spent_known for e in self.ends)


@dataclass(frozen=True, slots=True)
class Inherited:
    """What a former process could not say, in its own words."""

    place: Place
    words: LastWords


class Settlements:
    """Every settlement is tried at once, by a task that lives here."""

    def __init__(
        self, ledger: Ledger, journal: Journal, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        self._ledger = ledger
        self._clock = ledger.memory.clock
        self._journal = journal
        self._retry_seconds = retry_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: deque[tuple[int, Settlement | Inherited]] = deque(maxlen=MAX_ENTRIES)
        self._recent: deque[tuple[float, Settlement]] = deque(maxlen=RECENT)
        self._pump: asyncio.Task[None] | None = None

    @property
    def journal_length(self) -> int:
        return len(self._waiting)

    def settle(self, place: Place, ends: Sequence[End]) -> asyncio.Task[None]:
        """Begin; the task never fails, and is done when Redis knows or the journal does."""
        said = self._ledger.settle(place, ends)
        task = asyncio.get_running_loop().create_task(self._try(Settlement(place, ends), said))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def inherit(self, left: Sequence[tuple[int, bytes]]) -> None:
        """Say what a former process left in the journal."""
        for number, entry in left:
            if inherited := _decoded(entry):
                self._waiting.append((number, inherited))
            else:
                self._journal.confirm(number)
        self._start()

    async def repeat(self, tag: str) -> None:
        """A group fell back to an older state: what was said lately may be forgotten."""
        since = self._clock.monotonic() - RECENT_SECONDS
        recent = [s for at, s in self._recent if at >= since and s.place.group.tag == tag]
        for batch in batches(recent, AT_ONCE):
            said = [self._ledger.settle(each.place, each.ends) for each in batch]
            for error in await asyncio.gather(*said, return_exceptions=True):
                if isinstance(error, BaseException):
                    raise error

    async def settled(self) -> None:
        """Returns when Redis has heard all that was said until now, however long it is away."""
        await asyncio.gather(*self._tasks)
        if self._pump:
            await asyncio.wait([self._pump])

    async def close(self) -> None:
        """Waits for all. What Redis will not hear within two seconds is left to the journal on
        disk, or given up, and said."""
        await asyncio.gather(*self._tasks)
        if self._pump:
            await asyncio.wait([self._pump], timeout=FLUSH_SECONDS)
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
        if self._waiting:
            kept = self._journal.on_disk
            event = "limits.settlements_left" if kept else "limits.settlements_lost"
            logger.warning(event, extra={"count": len(self._waiting)})

    async def _try(self, settlement: Settlement, said: Coroutine[Any, Any, object]) -> None:
        try:
            await said
        except StoreUnavailable:
            if self._ledger.configured:
                self._write_down(settlement)
        else:
            self._said(settlement)

    def _write_down(self, settlement: Settlement) -> None:
        if settlement.gives_back_only and len(self._waiting) >= MOST_GIVEN_BACK:
            return
        place = settlement.place
        words = self._ledger.last_words(place, settlement.ends)
        number = self._journal.append(_encoded(place, words))
        self._waiting.append((number, settlement))
        self._start()

    def _start(self) -> None:
        if self._waiting and (self._pump is None or self._pump.done()):
            self._pump = asyncio.get_running_loop().create_task(self._empty_journal())

    async def _empty_journal(self) -> None:
        """In order. An entry leaves only once Redis has heard it."""
        while self._waiting:
            first = self._waiting[0]
            try:
                await self._say(first[1])
            except StoreUnavailable:
                await asyncio.sleep(self._retry_seconds)
            else:
                if self._waiting and self._waiting[0] is first:
                    self._waiting.popleft()
                    self._journal.confirm(first[0])

    async def _say(self, settlement: Settlement | Inherited) -> None:
        match settlement:
            case Settlement(place, ends):
                await self._ledger.settle(place, ends)
                self._said(settlement)
            case Inherited(place, words):
                await self._ledger.repeat(place, words)

    def _said(self, settlement: Settlement) -> None:
        now = self._clock.monotonic()
        self._recent.append((now, settlement))
        while self._recent[0][0] < now - RECENT_SECONDS:
            self._recent.popleft()


def _encoded(place: Place, words: LastWords) -> bytes:
    said = (words.epoch, words.heard_us, words.words, words.after_loss)
    return orjson.dumps([place.group.tag, place.group.keys, place.keys, *said])


def _decoded(entry: bytes) -> Inherited | None:
    """`None` for what another version wrote in another way."""
    try:
        tag, own, keys, epoch, heard_us, words, after_loss = orjson.loads(entry)
        said = LastWords(epoch, heard_us, tuple(words), tuple(after_loss))
        return Inherited(Place(Group(tag, tuple(own)), tuple(keys)), said)
    except (ValueError, TypeError):
        return None
