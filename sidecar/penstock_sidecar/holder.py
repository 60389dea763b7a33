"""Which runtime is current, and the one assignment that swaps it.

A request keeps the Runtime (configuration, keys, prices) it began with to its end, settlement
included. At most three have requests: when a fourth comes, those in the oldest get a deadline.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final

from penstock_sidecar.errors import ConfigurationMissing, Overloaded
from penstock_sidecar.runtime import Runtime

MAX_RETIRED: Final = 2
RETIRED_DEADLINE_SECONDS: Final = 30
SETTLED_SECONDS: Final = 3600
"""How long a retired runtime waits for a Redis that is away, to tell it what was used."""
LEAVING_SECONDS: Final = 1
"""For requests that were cancelled at the end, to give back what they hold."""


@dataclass(slots=True, eq=False)
class _Lease:
    """A runtime and the requests that are in it."""

    runtime: Runtime
    in_flight: set[asyncio.Timeout] = field(default_factory=set)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    closing: bool = False
    """It gives back what it holds: whoever cancelled that would lose the rest."""

    async def left(self) -> None:
        """Returns when no request is in it."""
        if self.in_flight:
            self.idle.clear()
            await self.idle.wait()


class _Stay:
    """`async with`: one request's time in a runtime, which may be told to end."""

    __slots__ = ("_bound", "_lease")

    def __init__(self, lease: _Lease) -> None:
        self._lease = lease
        self._bound = asyncio.timeout(None)

    async def __aenter__(self) -> Runtime:
        await self._bound.__aenter__()
        self._lease.in_flight.add(self._bound)
        return self._lease.runtime

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        lease, bound = self._lease, self._bound
        lease.in_flight.discard(bound)
        if not lease.in_flight:
            lease.idle.set()
        try:
            await bound.__aexit__(kind, error, trace)
        except TimeoutError:
            raise Overloaded(
                "the configuration changed three times while this request ran",
                retry_after_seconds=1,
            ) from None


class RuntimeHolder:
    """Which runtime is current; owns those that requests still use."""

    def __init__(self) -> None:
        self._current: _Lease | None = None
        self._retired: dict[_Lease, asyncio.Task[None]] = {}

    def current(self) -> "_Stay":
        """The runtime for one request; raises `ConfigurationMissing` while there is none."""
        lease = self._current
        if lease is None:
            raise ConfigurationMissing(
                "this sidecar has no configuration yet: create a RoutePolicy for this namespace",
                retry_after_seconds=2,
            )
        return _Stay(lease)

    def peek(self) -> Runtime | None:
        """The current runtime, for reports; it may be closed at any time."""
        return self._current.runtime if self._current else None

    async def replace(self, runtime: Runtime) -> None:
        """Make `runtime` current, at once; the former closes when its last request has ended."""
        former, self._current = self._current, _Lease(runtime)
        if former:
            self._retired[former] = asyncio.create_task(self._close_when_idle(former))
        busy = [lease for lease in self._retired if lease.in_flight]
        for lease in busy[:-MAX_RETIRED]:
            _set_deadline(lease)

    async def close(self) -> None:
        """Closes every runtime; requests have ended, or were told to."""
        leases = [*self._retired, *([self._current] if self._current else [])]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVING_SECONDS):
                await asyncio.gather(*(lease.left() for lease in leases))
        for lease, task in self._retired.items():
            if not lease.closing:
                task.cancel()
        await asyncio.gather(*self._retired.values(), return_exceptions=True)
        if self._current:
            await self._current.runtime.close()

    async def _close_when_idle(self, lease: _Lease) -> None:
        try:
            await lease.left()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SETTLED_SECONDS):
                    await lease.runtime.settled()
        finally:
            lease.closing = True
            await lease.runtime.close()
            del self._retired[lease]


def _set_deadline(lease: _Lease) -> None:
    when = asyncio.get_running_loop().time() + RETIRED_DEADLINE_SECONDS
    for bound in lease.in_flight:
        if bound.when() is None:
            bound.reschedule(when)
