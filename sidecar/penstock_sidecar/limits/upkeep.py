"""What is done every second while there are requests: allowances put aside, leases given back."""

import asyncio
from typing import Final

from penstock_sidecar.limits.allowances import Allowances
from penstock_sidecar.limits.leases import Leases

PAUSE_SECONDS: Final = 1.0


class Upkeep:
    """One task, from the first request on."""

    def __init__(self, allowances: Allowances | None, leases: Leases | None) -> None:
        self._allowances = allowances
        self._leases = leases
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Again is nothing."""
        if self._task is None and (self._allowances or self._leases):
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Everything that was taken ahead is given back."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._allowances:
            self._allowances.close()
        if self._leases:
            self._leases.close()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            if self._leases:
                self._leases.expire()
            if self._allowances:
                await self._allowances.upkeep()
