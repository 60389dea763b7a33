"""Keeps the holds of long requests alive: one task for all of a sidecar."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.clock import Clock
from penstock_sidecar.limits.ledger import HOLD_SECONDS, Ledger, Place
from penstock_sidecar.store import StoreUnavailable

RENEWALS_PER_LIFE: Final = 3

Name = tuple[str, str]
"""A hold's id and its group's tag."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    place: Place
    id: str
    since: float


class Renewals:
    """Each hold is renewed every third of its life. A store that is away is tried next time."""

    def __init__(self, ledger: Ledger, clock: Clock, hold_seconds: float = HOLD_SECONDS) -> None:
        self._ledger = ledger
        self._clock = clock
        self._interval_seconds = hold_seconds / RENEWALS_PER_LIFE
        self._kept: dict[Name, _Kept] = {}
        self._task: asyncio.Task[None] | None = None
        self.overruns = 0
        """Slots that expired and were taken by others while their request went on."""

    def keep(self, place: Place, id_: str) -> None:
        """Until `drop` of the same."""
        self._kept[id_, place.group.tag] = _Kept(place, id_, self._clock.monotonic())
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def drop(self, place: Place, id_: str) -> None:
        self._kept.pop((id_, place.group.tag), None)

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._kept:
            await asyncio.sleep(self._interval_seconds)
            await self.renew_old()

    async def renew_old(self) -> None:
        """Renew what is older than half an interval: the rest outlives the next round."""
        born_before = self._clock.monotonic() - self._interval_seconds / 2
        for name, kept in list(self._kept.items()):
            if kept.since <= born_before and name in self._kept:
                try:
                    self._note(await self._ledger.renew(kept.place, (kept.id,)))
                except StoreUnavailable:
                    return

    def _note(self, overruns: int) -> None:
        if overruns:
            self.overruns += overruns
            logger.warning("limits.lease_overrun", extra={"count": overruns})
