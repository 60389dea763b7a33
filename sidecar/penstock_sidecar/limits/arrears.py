"""What attempts may have cost that nobody can know, and that Redis never held for them.

They began while it was away. When it is back, as much as each may have cost is held, and left
unsettled: as if it had been held from the beginning.
"""

import asyncio
from collections import deque
from typing import Final

from penstock_sidecar.limits.holds import End
from penstock_sidecar.limits.ledger import HoldEnded, Ledger
from penstock_sidecar.limits.settlements import FLUSH_SECONDS, RETRY_SECONDS, Settlements
from penstock_sidecar.limits.wants import Late
from penstock_sidecar.store import StoreUnavailable

MOST: Final = 10_000
"""Attempts at a time. Beyond them what was put aside for one stays reserved, and ends unsettled."""


class Arrears:
    """In order, by a task that lives here until all is said."""

    def __init__(
        self, ledger: Ledger, settlements: Settlements, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        self._ledger = ledger
        self._settlements = settlements
        self._retry_seconds = retry_seconds
        self._owed: deque[Late] = deque()
        self._task: asyncio.Task[None] | None = None

    def owe(self, late: Late) -> None:
        if not self._ledger.configured or len(self._owed) >= MOST:
            return
        self._owed.append(late)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def settled(self) -> None:
        """Returns when Redis has all of it, however long it is away."""
        if self._task:
            await asyncio.wait([self._task])

    async def close(self) -> None:
        """Waits for two seconds at most."""
        if self._task:
            await asyncio.wait([self._task], timeout=FLUSH_SECONDS)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._owed:
            try:
                await self._hold(self._owed[0])
            except StoreUnavailable:
                await asyncio.sleep(self._retry_seconds)
            else:
                self._owed.popleft()

    async def _hold(self, late: Late) -> None:
        """Again is harmless: a hold that is there is not taken twice."""
        place, hold = late.side.place, late.side.hold
        try:
            await self._ledger.acquire(place, [hold], forced=True)
        except HoldEnded:
            return  # nobody but us ends it, so this was said before
        self._settlements.settle(place, [End(hold.id, spent_known=False)])
        if late.drawn:
            late.drawn.spent(late.drawn.micro_usd)
