"""A request's turn: at once, or after those who came before it, within bounds."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from penstock_config.queue import Queue
from penstock_sidecar.errors import SidecarError
from penstock_sidecar.limits.desk import Desk
from penstock_sidecar.limits.holds import Refusal
from penstock_sidecar.model import Request

SLOT_POLL_SECONDS: Final = 0.1
"""Nobody can know when a slot comes free."""
READ_TIMEOUT: Final = "x-stainless-read-timeout"
"""How long the official clients wait for an answer, in seconds."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing was taken, and how the caller is told; `queue` of `None` is not waited for."""

    refusal: Refusal
    queue: Queue | None
    error: Callable[[Refusal], SidecarError]


Take = Callable[[], Awaitable[Refused | None]]


class Turn:
    """`line` of `None` never waits; `queue` bounds those who find others waiting."""

    def __init__(self, desk: Desk, line: str | None, queue: Queue, request: Request) -> None:
        self._desk = desk
        self._line = line
        self._queue = queue
        self._request = request

    async def have(self, take: Take) -> None:
        """Returns when `take` has taken; raises what it refuses by, once waiting is no use."""
        line = self._line
        if line is not None and self._desk.lines.busy(line):
            return await self._wait(take, line, self._queue, None)
        refused = await take()
        if refused is None:
            return None
        if line is None or refused.queue is None:
            raise refused.error(refused.refusal)
        return await self._wait(take, line, refused.queue, refused)

    async def _wait(self, take: Take, line: str, queue: Queue, last: Refused | None) -> None:
        lines, loop, refusals = self._desk.lines, asyncio.get_running_loop(), self._desk.refusals
        if lines.full(line, queue):
            raise refusals.line_full(queue, last.error(last.refusal) if last else None)
        until = loop.time() + min(queue.max_wait_seconds, self._patience_seconds())
        try:
            async with asyncio.timeout_at(until), lines.first(line):
                last = await self._first_of_line(take, until, last)
        except TimeoutError:
            error = last.error(last.refusal) if last else None
            raise refusals.waited_in_vain(queue, error) from None
        if last:
            raise last.error(last.refusal)

    async def _first_of_line(
        self, take: Take, until: float, last: Refused | None
    ) -> Refused | None:
        """Returns the refusal that will not end in time."""
        loop = asyncio.get_running_loop()
        while True:
            if last:
                wait = last.refusal.wait_seconds
                if last.queue is None or wait is None:
                    return last
                if last.refusal.bound.what == "slots":
                    wait = min(wait, SLOT_POLL_SECONDS)
                if loop.time() + wait > until:
                    return last
                await asyncio.sleep(wait)
            last = await take()
            if last is None:
                return None

    def _patience_seconds(self) -> float:
        try:
            return float(self._request.headers.get(READ_TIMEOUT, "inf"))
        except ValueError:
            return float("inf")
