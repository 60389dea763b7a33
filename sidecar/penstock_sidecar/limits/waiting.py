"""A request's turn: at once, or after those who came before it, within bounds."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from penstock_config.queue import Queue
from penstock_sidecar.limits.desk import Desk
from penstock_sidecar.limits.holds import Refusal
from penstock_sidecar.model import Request

Take = Callable[[], Awaitable[Refusal | None]]
SLOT_POLL_SECONDS: Final = 0.1
"""Nobody can know when a slot comes free."""
READ_TIMEOUT: Final = "x-stainless-read-timeout"
"""How long the official clients wait for an answer, in seconds."""


class Turn:
    """`line` of `None` never waits."""

    def __init__(self, desk: Desk, line: str | None, request: Request) -> None:
        self._desk = desk
        self._line = line
        self._request = request

    async def have(self, take: Take) -> None:
        """Returns when `take` has taken; raises what it refuses by, once waiting is no use."""
        line, lines = self._line, self._desk.lines
        if line is None or not lines.busy(line):
            refusal = await take()
            if refusal is None:
                return
            if line is None or refusal.bound.queue is None:
                raise self._desk.refusals.of_caller(refusal)
            await self._wait(take, line, refusal.bound.queue, refusal)
        else:
            await self._wait(take, line, self._desk.queue(), None)

    async def _wait(self, take: Take, line: str, queue: Queue, last: Refusal | None) -> None:
        lines, loop = self._desk.lines, asyncio.get_running_loop()
        if lines.full(line, queue):
            raise self._desk.refusals.line_full(queue, last)
        until = loop.time() + min(queue.max_wait_seconds, self._patience_seconds())
        try:
            async with asyncio.timeout_at(until), lines.first(line):
                last = await self._first_of_line(take, until, last)
        except TimeoutError:
            raise self._desk.refusals.waited_in_vain(queue, last) from None
        if last:
            raise self._desk.refusals.of_caller(last)

    async def _first_of_line(
        self, take: Take, until: float, last: Refusal | None
    ) -> Refusal | None:
        """Returns the refusal that will not end in time."""
        loop = asyncio.get_running_loop()
        while True:
            if last:
                if last.bound.queue is None or last.wait_seconds is None:
                    return last
                wait = last.wait_seconds
                if last.bound.what == "slots":
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
