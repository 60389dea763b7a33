"""What becomes of a request whose caller leaves: it ends with him, or is read on for its bill."""

import asyncio
from dataclasses import dataclass
from typing import Final

from aiohttp import web

MAX_STRAGGLERS: Final = 100
"""Each holds a slot of `max_in_flight` and a connection to its provider."""


class Stragglers:
    """Requests that outlast their callers: bounded in number, each in time. One per process."""

    def __init__(self, most: int = MAX_STRAGGLERS) -> None:
        self._most = most
        self._tasks: dict[asyncio.Task[None], asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def admit(self, task: "asyncio.Task[None]", seconds: float) -> bool:
        """Whether it may go on; it is cancelled after so many seconds."""
        if len(self._tasks) >= self._most:
            return False
        self._tasks[task] = asyncio.get_running_loop().call_later(seconds, task.cancel)
        task.add_done_callback(self._ended)
        return True

    async def close(self) -> None:
        """Ends all that are left, and returns when they have given back what they held."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.pop(task).cancel()


@dataclass(slots=True)
class Departure:
    """Of one request's caller: whether he has left, and for how long the work goes on then."""

    stragglers: Stragglers
    seconds: float | None = None
    """`None`: the work ends with him."""
    left: bool = False
    answered: bool = False
    """The whole answer is on its way: what he sends now is his next request."""

    def outlasts(self, task: "asyncio.Task[None]") -> bool:
        """Called when he leaves: whether `task` goes on without him."""
        self.left = True
        return self.seconds is not None and self.stragglers.admit(task, self.seconds)


DEPARTURE: Final = web.RequestKey("departure", Departure)
"""Where a request keeps its own, for its connection to find."""
