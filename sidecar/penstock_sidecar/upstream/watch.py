"""Says that a wait has lasted too long, with one timer for all the waits of a stream."""

import asyncio
from collections.abc import Callable


class Watch:
    """Calls `late` once, when a wait is not over by its time. A timer for each wait would cost more
    than all else that a piece of a stream does; this one looks back when it fires, and is set anew.
    """

    __slots__ = ("_due", "_late", "_loop", "_timer", "_waits")

    def __init__(self, late: Callable[[], None]) -> None:
        self._late = late
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._waits = False

    def begin(self, due: float) -> None:
        """A wait begins, which should be over at `due`, on the loop's clock."""
        self._due, self._waits = due, True
        if self._timer is None:
            self._timer = self._loop.call_at(due, self._look)
        elif due < self._timer.when():
            self._timer.cancel()
            self._timer = self._loop.call_at(due, self._look)

    def over(self) -> None:
        self._waits = False

    def close(self) -> None:
        self._waits = False
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if not self._waits:
            return
        if self._loop.time() < self._due:
            self._timer = self._loop.call_at(self._due, self._look)
        else:
            self._late()
