"""Answers renewed before they end: the request is asked again beside those of callers.

It goes a request's whole way, so that limits, budgets and telemetry count it, at low priority and
past the cache's lookup; what comes takes the former answer's place. Of all sidecars one does it.
"""

import contextlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from penstock_sidecar.cache.flight.flights import Flights
from penstock_sidecar.cache.question import Question
from penstock_sidecar.cache.semantic.errands import Errands
from penstock_sidecar.clock import Clock
from penstock_sidecar.errors import SidecarError
from penstock_sidecar.limits.priority import HEADER as PRIORITY
from penstock_sidecar.model import CacheControl, Reply, Request

Serve = Callable[[Request, Reply], Awaitable[None]]

MOST_WAITING: Final = 16
"""Each holds a request. What is due and finds no room is so again at its next hit."""
AGAIN_SECONDS: Final = 30.0
"""After a try, whatever became of it."""
MOST_REMEMBERED: Final = 1024
ID_BYTES: Final = 16


class Unheard:
    """The way back to nobody."""

    left: Final = False

    def outlast(self, seconds: float | None) -> None:
        """There is nobody who could leave."""

    async def start(self, content_type: str, headers: Mapping[str, str]) -> None:
        """Nobody reads it."""

    async def send(self, data: bytes) -> None:
        """Nobody reads it."""

    async def end(self) -> None:
        """Nobody reads it."""


class Renewals:
    """Of one policy. Owns what goes on; `close` ends it."""

    def __init__(self, flights: Flights, clock: Clock) -> None:
        self._flights = flights
        self._clock = clock
        self._not_before: dict[str, float] = {}
        """When each that was tried may be tried again, on the monotonic clock."""
        self.errands: Final = Errands(MOST_WAITING)

    def add(self, question: Question, serve: Serve) -> bool:
        """Returns at once; whether it will be tried. A request with a former conversation's turns
        in it is left alone: asked again, it would go on from there twice."""
        request, now = question.request, self._clock.monotonic()
        if request.resumed or request.remembered or now < self._not_before.get(question.key, now):
            return False
        if not self.errands.add(partial(self._renew, question, serve)):
            return False
        if len(self._not_before) >= MOST_REMEMBERED:
            del self._not_before[next(iter(self._not_before))]
        self._not_before[question.key] = now + AGAIN_SECONDS
        return True

    async def close(self) -> None:
        await self.errands.close()

    async def _renew(self, question: Question, serve: Serve) -> None:
        """Those whose answer ends meanwhile wait for this one."""
        # Telemetry hears of errors as of any request's; the former answer still holds.
        with contextlib.suppress(SidecarError):
            async with self._flights.renewing(question) as ours:
                if ours:
                    await serve(_again(question.request), Unheard())


def _again(request: Request) -> Request:
    return replace(
        request,
        call_id=secrets.token_hex(ID_BYTES),
        cache_control=CacheControl(
            no_cache=True, store_seconds=request.cache_control.store_seconds
        ),
        headers={**request.headers, PRIORITY: "low"},
    )
