"""Says something harmless into a stream that is silent, so that nobody on the way gives it up."""

import asyncio
from collections.abc import Callable
from typing import Final

PULSE_SECONDS: Final = 15
"""The standard's own advice: a comment "every 15 seconds or so" (WHATWG HTML, 9.2.7)."""


class Pulse:
    """Calls `beat` after each `seconds` of silence, from `start` to `stop`; 0 is never.

    What is said costs a clock's reading: the timer looks back when it fires, and sets itself anew.
    """

    __slots__ = ("_beat", "_loop", "_said_at", "_seconds", "_timer")

    def __init__(self, beat: Callable[[], None], seconds: float) -> None:
        self._beat = beat
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._said_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        if self._seconds:
            self._said_at = self._loop.time()
            self._timer = self._loop.call_later(self._seconds, self._look)

    def said(self) -> None:
        """Something else has been said now."""
        self._said_at = self._loop.time()

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        if now >= self._said_at + self._seconds:
            self._said_at = now
            self._beat()
        self._timer = self._loop.call_at(self._said_at + self._seconds, self._look)
