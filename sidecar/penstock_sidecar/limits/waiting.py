"""A request's turn: at once, or after those who came before it, within bounds."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from penstock_config.queue import Queue
from penstock_sidecar.errors import SidecarError
from penstock_sidecar.limits.desk import Desk
from penstock_sidecar.limits.holds import Refusal

SLOT_POLL_SECONDS: Final = 0.1
"""Nobody can know when a slot comes free."""
ASK_AGAIN_SECONDS: Final = 1.0
"""What was held and not used comes back before the time that Redis named; and whoever does not ask
for so long loses his turn (turns.lua, COME_BACK)."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing was taken, and how the caller is told; `queue` of `None` is not waited for."""

    refusal: Refusal
    queue: Queue | None
    error: Callable[[Refusal], SidecarError]

    def told(self) -> SidecarError:
        return self.error(self.refusal)


Take = Callable[[], Awaitable[Refused | None]]


class Turn:
    """`line` of `None` never waits; `queue` bounds those who find others waiting. Nobody waits
    beyond `until`, and nobody takes before `not_before`, both on the loop's clock."""

    def __init__(
        self, desk: Desk, line: str | None, queue: Queue, until: float, not_before: float = 0.0
    ) -> None:
        self._desk = desk
        self._line = line
        self._queue = queue
        self._until = until
        self._not_before = not_before
        self._last: Refused | None = None

    async def have(self, take: Take) -> None:
        """Returns when `take` has taken; raises what it refuses by, once waiting is no use."""
        line = self._line
        if line is not None and (self._desk.lines.busy(line) or self._early_seconds() > 0):
            return await self._wait(take, line, self._queue)
        self._last = refused = await take()
        if refused is None:
            return None
        if line is None or refused.queue is None:
            raise refused.told()
        return await self._wait(take, line, refused.queue)

    async def _wait(self, take: Take, line: str, queue: Queue) -> None:
        lines, refusals = self._desk.lines, self._desk.refusals
        if lines.full(line, queue):
            raise refusals.line_full(queue, self._why(line))
        now = asyncio.get_running_loop().time()
        until = min(now + queue.max_wait_seconds, self._until)
        try:
            async with asyncio.timeout_at(until), lines.first(line):
                await self._first_of_line(take, line, until)
        except TimeoutError:
            raise refusals.waited_in_vain(queue, self._why(line)) from None
        if self._last:
            raise self._last.told()

    def _early_seconds(self) -> float:
        return self._not_before - asyncio.get_running_loop().time()

    def _too_early(self) -> SidecarError:
        return self._desk.refusals.by_itself(max(0.0, self._early_seconds()))

    def _why(self, line: str) -> SidecarError | None:
        """What one was told oneself, or who waits before one."""
        return self._last.told() if self._last else self._desk.lines.why(line)

    async def _first_of_line(self, take: Take, line: str, until: float) -> None:
        """Returns when all is taken, or with the last refusal if that will not end in time."""
        loop = asyncio.get_running_loop()
        if (seconds := self._early_seconds()) > 0:
            self._desk.lines.refused(line, self._too_early)
            await asyncio.sleep(seconds)
        while True:
            if last := self._last:
                self._desk.lines.refused(line, last.told)
                wait = last.refusal.wait_seconds
                if last.queue is None or wait is None:
                    return
                if last.refusal.bound.what == "slots":
                    wait = min(wait, SLOT_POLL_SECONDS)
                if loop.time() + wait > until:
                    return
                await asyncio.sleep(min(wait, ASK_AGAIN_SECONDS))
            self._last = await take()
            if self._last is None:
                return
