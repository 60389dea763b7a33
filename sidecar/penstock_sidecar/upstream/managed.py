"""An `Upstream` of a provider that the operator runs: each attempt at the replica that suits best.

What could not be connected to has got nothing: another replica is asked, within the same attempt.
A replica that does not know its model any more is left the same way. All else is the attempt's own
failure, as with any provider.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from penstock_config.provider import Managed, Provider
from penstock_sidecar.errors import (
    UpstreamConnectTimeout,
    UpstreamError,
    UpstreamLost,
    UpstreamMisconfigured,
    UpstreamUnreachable,
)
from penstock_sidecar.fleet import Fleets, Seat
from penstock_sidecar.fleet.fleet import LiveFleet, Wanted
from penstock_sidecar.model import Answer
from penstock_sidecar.upstream.base import Call, Upstream

REPLICA: Final = "x-penstock-replica"
WAITED: Final = "x-penstock-replica-wait-ms"


class ManagedUpstream:
    """Around the upstream that knows the provider's dialect."""

    def __init__(
        self, inner: Upstream, provider: Provider, managed: Managed, fleets: Fleets
    ) -> None:
        self._inner = inner
        self._fleets = fleets
        self._fleet: LiveFleet = fleets.of(provider)
        self._managed = managed
        self._most_seconds = provider.timeouts.total_seconds

    @asynccontextmanager
    async def call(self, call: Call) -> AsyncIterator[Answer]:
        await self._fleets.fresh((call.candidate,))
        async with AsyncExitStack() as stack:
            yield await self._answered(call, stack)

    async def _answered(self, call: Call, stack: AsyncExitStack) -> Answer:
        """By the first replica that takes the request; `stack` gives its seat back."""
        until = min(call.until, asyncio.get_running_loop().time() + self._most_seconds)
        wanted, failed = _wanted(call), None
        while seat := await self._seat(wanted, until):
            async with AsyncExitStack() as trial:
                trial.callback(seat.release)
                placed = replace(call, address=seat.address, loads=seat.kind not in SETTLED)
                try:
                    answer = await trial.enter_async_context(self._inner.call(placed))
                except UpstreamError as error:
                    if not self._elsewhere(error, seat):
                        raise
                    failed = error
                    wanted = replace(wanted, tried=wanted.tried | {seat.replica})
                    continue
                self._fleet.answered(seat)
                await stack.enter_async_context(trial.pop_all())
                return replace(answer, headers={**answer.headers, **_told(seat)})
        raise failed or self._fleet.starting(wanted)

    async def _seat(self, wanted: Wanted, until: float) -> Seat | None:
        """Nobody starts a fleet that is not meant to sleep: it is not waited for."""
        situation = self._fleet.situation(wanted.model)
        if situation and not situation.ready and not self._managed.may_be_cold:
            return None
        return await self._fleet.seat(wanted, until)

    def _elsewhere(self, error: UpstreamError, seat: Seat) -> bool:
        """Whether another replica may take what this one did not."""
        match error:
            case UpstreamUnreachable() | UpstreamConnectTimeout():
                self._fleet.avoid(seat)
            case UpstreamLost():
                self._fleet.avoid(
                    seat
                )  # it may have begun: nobody else is asked within this attempt
                return False
            case UpstreamMisconfigured(provider_status=HTTPStatus.NOT_FOUND):
                pass
            case _:
                return False
        return bool(seat.replica)


SETTLED: Final = frozenset({"loaded", "service"})
"""Kinds of seats that say as much of the model as any other provider's."""


def _wanted(call: Call) -> Wanted:
    model = call.candidate.model
    return Wanted(call.candidate.label, model.upstream_name, model.parallel, model.load_seconds)


def _told(seat: Seat) -> Mapping[str, str]:
    """For people: where the answer came from."""
    if not seat.replica:
        return {}
    waited_ms = round(seat.waited_seconds * 1000)
    return {REPLICA: seat.replica, **({WAITED: str(waited_ms)} if waited_ms else {})}
