"""Keeps the holds of long requests alive: one task for all of a sidecar.

A hold that Redis lost is taken again, whatever it exceeds: its request is in flight.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.limits.batches import batches
from penstock_sidecar.limits.holds import Hold, Place
from penstock_sidecar.limits.ledger import HOLD_SECONDS, Ledger
from penstock_sidecar.store import StoreUnavailable

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
        for kept in list(self._kept.values()):
            if kept.place.group.tag == tag and (kept.hold.id, tag) in self._kept:
                await self._ledger.acquire(kept.place, [kept.hold], forced=True)

    async def _run(self) -> None:
        while self._kept:
            await asyncio.sleep(self._interval_seconds)
            await self.renew_old()

    async def renew_old(self) -> None:
        """Renew what is older than half an interval: the rest outlives the next round."""
        born_before = self._clock.monotonic() - self._interval_seconds / 2
        places: dict[tuple[str, ...], list[_Kept]] = defaultdict(list)
        for kept in self._kept.values():
            if kept.since <= born_before:
                places[kept.place.group.keys + kept.place.keys].append(kept)
        try:
            for kept_there in places.values():
                for batch in batches(kept_there, BATCH):
                    await self._renew(batch)
        except StoreUnavailable:
            return

    async def _renew(self, batch: Sequence[_Kept]) -> None:
        place = batch[0].place
        live = {k.hold.id: k for k in batch if (k.hold.id, place.group.tag) in self._kept}
        if not live:
            return
        overruns, gone = await self._ledger.renew(place, tuple(live))
        for id_ in gone:
            if (id_, place.group.tag) in self._kept:
                await self._ledger.acquire(live[id_].place, [live[id_].hold], forced=True)
        if overruns:
            self.overruns += overruns
            logger.warning("limits.lease_overrun", extra={"count": overruns})
