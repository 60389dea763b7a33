"""Requests taken ahead, where a policy's limits allow it and traffic is dense: no round trip for
most of them.

A chunk is debited before it is used, and may be used for half a second: within any window that
admits at most half a second's worth more than the limit. What is left over is given back. Only
limits on the number of requests of an app or a pod, without a queue, are leased, and such that
neither space requests evenly nor keep a part for some of them; near the limit every request asks
again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Final

from penstock_config.policy import CallerLimit
from penstock_sidecar.clock import Clock
from penstock_sidecar.limits.bounds import Bound
from penstock_sidecar.limits.holds import End, Hold, Place, Standing
from penstock_sidecar.limits.settlements import Settlements

LIFE_SECONDS: Final = 0.5
AHEAD_SECONDS: Final = 0.25
"""A chunk is as much as comes in so long."""
DENSE_PER_SECOND: Final = 20.0
MEMORY_SECONDS: Final = 1.0
"""Of the rate's exponential average."""
SHARE: Final = 4
"""A chunk is at most a fourth of this sidecar's part of the limit."""


@dataclass(slots=True)
class Chunk:
    """What was taken ahead at once; who uses one of it keeps it, to give that one back."""

    id: str
    place: Place
    granted: int
    until: float
    standings: tuple[Standing, ...]
    used: int = 0

    def give_back(self) -> None:
        """One that was not used after all; of a chunk that has ended it stays counted."""
        self.used -= 1


@dataclass(slots=True)
class _Traffic:
    """Of one app or pod: how dense, and what was taken ahead."""

    per_second: float = 0
    at: float = 0
    exact_until: float = 0
    """Until then the limit is too near for leases."""
    chunk: Chunk | None = None


class Leases:
    """One chunk at a time for each place. Made only where a policy has such limits."""

    def __init__(
        self, bounds: Sequence[Bound], sidecars: int, settlements: Settlements, clock: Clock
    ) -> None:
        self._most = min(b.amount for b in bounds) // (SHARE * sidecars)
        self._sidecars = sidecars
        self._settlements = settlements
        self._clock = clock
        self._traffic: dict[tuple[str, ...], _Traffic] = {}

    def take(self, place: Place) -> Chunk | None:
        """Of which one is used now; `None` where Redis must be asked."""
        traffic, now = self._of(place), self._clock.monotonic()
        _count(traffic, now)
        chunk = traffic.chunk
        if chunk is None or now >= chunk.until or chunk.used >= chunk.granted:
            self._end(traffic)
            return None
        chunk.used += 1
        return chunk

    def wanted(self, place: Place) -> int:
        """How many to ask for: one, or a chunk."""
        traffic = self._of(place)
        if traffic.per_second < DENSE_PER_SECOND or self._clock.monotonic() < traffic.exact_until:
            return 1
        return max(1, min(self._most, round(traffic.per_second * AHEAD_SECONDS)))

    def granted(self, hold: Hold, place: Place, standings: tuple[Standing, ...]) -> Chunk:
        """A chunk, of which the request that asked uses one."""
        traffic, now = self._of(place), self._clock.monotonic()
        self._end(traffic)
        chunk = Chunk(hold.id, place, hold.requests, now + LIFE_SECONDS, standings, used=1)
        traffic.chunk = chunk
        if min(s.remaining for s in standings) < self._sidecars * hold.requests:
            traffic.exact_until = now + LIFE_SECONDS
        return chunk

    def refused(self, place: Place) -> None:
        """A chunk did not fit: one may."""
        self._of(place).exact_until = self._clock.monotonic() + LIFE_SECONDS

    def close(self) -> None:
        for traffic in self._traffic.values():
            self._end(traffic)

    def expire(self) -> None:
        """Give back what nobody came for."""
        now = self._clock.monotonic()
        for keys, traffic in list(self._traffic.items()):
            if traffic.chunk and now >= traffic.chunk.until:
                self._end(traffic)
            if traffic.chunk is None and now - traffic.at > MEMORY_SECONDS:
                del self._traffic[keys]

    def _of(self, place: Place) -> _Traffic:
        return self._traffic.setdefault(place.keys, _Traffic())

    def _end(self, traffic: _Traffic) -> None:
        if chunk := traffic.chunk:
            traffic.chunk = None
            self._settlements.settle(chunk.place, [End(chunk.id, chunk.used)])


def leasable(bounds: Sequence[Bound], limits: Sequence[CallerLimit]) -> bool:
    """Whether a policy's limits can be taken ahead: all of them must."""
    return (
        bool(bounds)
        and all(limit.lease and limit.limits.pacing != "Smooth" for limit in limits)
        and all(b.what == "requests" and not (b.queue or b.reserved_percent) for b in bounds)
    )


def _count(traffic: _Traffic, now: float) -> None:
    """Exponential average of requests a second."""
    faded = exp((traffic.at - now) / MEMORY_SECONDS) if traffic.at else 0.0
    traffic.per_second = traffic.per_second * faded + 1 / MEMORY_SECONDS
    traffic.at = now
