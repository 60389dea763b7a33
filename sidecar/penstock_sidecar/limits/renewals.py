"""Keeps the holds of long requests alive: one task for all of a sidecar.

A hold that Redis lost is taken again, whatever it exceeds: its request is in flight.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from penstock_sidecar.limits.batches import batches
from penstock_sidecar.limits.holds import Hold, Place
from penstock_sidecar.limits.ledger import HOLD_SECONDS, HoldEnded, Ledger
from penstock_sidecar.store import StoreUnavailable
from penstock_sidecar.values import dataclass

RENEWALS_PER_LIFE: Final = 3
BATCH: Final = 64
"""Holds in one call: Redis serves nobody else meanwhile."""

Name = tuple[str, str]
"""A hold's id and its group's tag."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    place: Place
    hold: Hold
    since: float


class Renewals:
    """Each hold is renewed every third of its life. A store that is away is tried next time."""

    def __init__(self, ledger: Ledger, hold_seconds: float = HOLD_SECONDS) -> None:
        self._ledger = ledger
        self._clock = ledger.memory.clock
        self._interval_seconds = hold_seconds / RENEWALS_PER_LIFE
        self._kept: dict[Name, _Kept] = {}
        self._task: asyncio.Task[None] | None = None
        self.overruns = 0
        """Slots that expired and were taken by others while their request went on."""

    def keep(self, place: Place, hold: Hold) -> None:
        """Until `drop` of the same. `hold.want_micro_usd` is what was granted."""
        self._kept[hold.id, place.group.tag] = _Kept(place, hold, self._clock.monotonic())
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def drop(self, place: Place, id_: str) -> None:
        self._kept.pop((id_, place.group.tag), None)

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def retake(self, tag: str) -> None:
        """A group may have lost holds that are alive: take them again."""
        await self._renew_all([k for k in self._kept.values() if k.place.group.tag == tag])

    async def _take_again(self, kept: _Kept) -> None:
        """One that was given up stays so: its request goes on, and counts in nothing more."""
        name = kept.hold.id, kept.place.group.tag
        if name in self._kept:
            try:
                await self._ledger.acquire(kept.place, [kept.hold], forced=True)
            except HoldEnded:
                self._kept.pop(name, None)

    async def _run(self) -> None:
        while self._kept:
            await asyncio.sleep(self._interval_seconds)
            await self.renew_old()

    async def renew_old(self) -> None:
        """Renew what is older than half an interval: the rest outlives the next round."""
        born_before = self._clock.monotonic() - self._interval_seconds / 2
        with contextlib.suppress(StoreUnavailable):  # the next round tries again
            await self._renew_all([k for k in self._kept.values() if k.since <= born_before])

    async def _renew_all(self, kept: Sequence[_Kept]) -> None:
        places: dict[tuple[str, ...], list[_Kept]] = defaultdict(list)
        for each in kept:
            places[each.place.group.keys + each.place.keys].append(each)
        for kept_there in places.values():
            for batch in batches(kept_there, BATCH):
                await self._renew(batch)

    async def _renew(self, batch: Sequence[_Kept]) -> None:
        place = batch[0].place
        live = {k.hold.id: k for k in batch if (k.hold.id, place.group.tag) in self._kept}
        if not live:
            return
        overruns, gone = await self._ledger.renew(place, tuple(live))
        for id_ in gone:
            await self._take_again(live[id_])
        if overruns:
            self.overruns += overruns
            logger.warning("limits.lease_overrun", extra={"count": overruns})
