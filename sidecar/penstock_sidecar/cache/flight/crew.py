"""This sidecar's requests in one flight: one of them acts, the others wait for what he says."""

import asyncio
from dataclasses import dataclass, field
from typing import Literal

Turn = Literal["act", "look", "alone"]
"""Act for those who wait; look for the answer, for it is kept; or go alone."""
Told = asyncio.Future[Turn]


@dataclass(slots=True)
class Crew:
    """One acts as long as it exists."""

    failures: int = 0
    """Leaders in a row whose providers failed."""
    _waiting: dict[Told, None] = field(default_factory=dict)

    def wait(self) -> Told:
        """At the end of the queue; to be left by `leave` if nobody awaits it to its end."""
        told: Told = asyncio.get_running_loop().create_future()
        self._waiting[told] = None
        return told

    def leave(self, told: Told) -> bool:
        """Whether it had been told to act a moment ago: then somebody else must."""
        self._waiting.pop(told, None)
        return told.done() and not told.cancelled() and told.result() == "act"

    def next(self) -> bool:
        """Whether there is somebody to act from now on: who has waited longest."""
        while self._waiting:
            told = next(iter(self._waiting))
            del self._waiting[told]
            if not told.done():
                told.set_result("act")
                return True
        return False

    def tell_all(self, turn: Turn) -> None:
        waiting, self._waiting = self._waiting, {}
        for told in waiting:
            if not told.done():
                told.set_result(turn)
