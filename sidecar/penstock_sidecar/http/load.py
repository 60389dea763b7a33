"""How many requests are in flight: counted, bounded, and waited for."""

import asyncio
import contextlib

from penstock_sidecar.errors import Overloaded
from penstock_sidecar.http.departure import Stragglers


class Load:
    """One per process. `draining` says not to send more; `closing` that connections end; `gave_up`
    that requests were left when the last drain's time was over. `stragglers` are in flight too."""

    def __init__(self, max_in_flight: int) -> None:
        self.in_flight = 0
        self.draining = False
        self.closing = False
        self._max_in_flight = max_in_flight
        self._idle = asyncio.Event()
        self._idle.set()
        self._arrived = asyncio.Event()
        self.gave_up = False
        self.stragglers = Stragglers()

    def __enter__(self) -> None:
        """One request's stay; raises `Overloaded` when as many as may be are here."""
        if self.in_flight >= self._max_in_flight:
            raise Overloaded(
                f"{self._max_in_flight} requests of this pod are in flight, which is the most",
                retry_after_seconds=1,
            )
        self.in_flight += 1
        self._idle.clear()
        self._arrived.set()

    def __exit__(self, *_: object) -> None:
        self.in_flight -= 1
        if not self.in_flight:
            self._idle.set()

    async def idle(self) -> None:
        """Returns when nothing is in flight."""
        await self._idle.wait()

    async def drain(self, seconds: float, quiet_seconds: float = 0) -> None:
        """Says not to send more, and returns when nothing is in flight, or the time is over.

        Whoever sends all the same is served: that one's work is waited for too, and then until
        nobody came for `quiet_seconds`.
        """
        self.draining = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._quiet(quiet_seconds)
        self.gave_up = self.in_flight > 0

    async def _quiet(self, seconds: float) -> None:
        while True:
            await self.idle()
            self._arrived.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._arrived.wait()
            except TimeoutError:
                if not self.in_flight:
                    return
