"""How many requests are in flight: counted, bounded, and waited for."""

import asyncio
import contextlib
from collections.abc import Iterator

from penstock_sidecar.errors import Overloaded


class Load:
    """One per process. `draining` says not to send more; `closing` that connections end."""

    def __init__(self, max_in_flight: int) -> None:
        self.in_flight = 0
        self.draining = False
        self.closing = False
        self._max_in_flight = max_in_flight
        self._idle = asyncio.Event()
        self._idle.set()

    @contextlib.contextmanager
    def admitted(self) -> Iterator[None]:
        """One request's stay; raises `Overloaded` when as many as may be are here."""
        if self.in_flight >= self._max_in_flight:
            raise Overloaded(
                f"{self._max_in_flight} requests of this pod are in flight, which is the most",
                retry_after_seconds=1,
            )
        self.in_flight += 1
        self._idle.clear()
        try:
            yield
        finally:
            self.in_flight -= 1
            if not self.in_flight:
                self._idle.set()

    async def idle(self) -> None:
        """Returns when nothing is in flight."""
        await self._idle.wait()
