"""Which replica is active: a Lease that is renewed, and lost when it is not.

    acquire ──► hold ──(renewing failed for `renew_seconds`)──► LeaseLost: the process must end
                  └──(stop)──► release, so that another need not wait

Times are those of client-go. Clocks of different machines are never compared: a foreign Lease is
dead when it has not changed for `lease_seconds` of our own clock.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from penstock_operator.cluster import ClusterError, Conflict
from penstock_operator.cluster.leases import LeaseRecord

LEASE_NAME: Final = "penstock-operator"
logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Somebody else may be active from now on."""


class LeaseStore(Protocol):
    """Where the Lease is kept."""

    async def read(self) -> LeaseRecord: ...

    async def write(
        self, former: LeaseRecord, holder: str, now: datetime, seconds: int
    ) -> LeaseRecord: ...


@dataclass(frozen=True, slots=True)
class Timing:
    """A crashed holder is replaced after `lease_seconds` and at most one retry."""

    lease_seconds: int = 15
    renew_seconds: float = 10
    """The holder gives up after this long, `lease_seconds - renew_seconds` before others may."""
    retry_seconds: float = 2


class Elector:
    """One replica's view of the Lease."""

    def __init__(
        self,
        lease: LeaseStore,
        identity: str,
        timing: Timing = Timing(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lease = lease
        self._identity = identity
        self._timing = timing
        self._clock = clock
        self._seen = LeaseRecord()
        self._seen_at = float("-inf")
        self._renewed_at: float | None = None

    def holds(self) -> bool:
        """Whether we may still write: the fence. Safe to call from any thread."""
        renewed_at = self._renewed_at
        return renewed_at is not None and self._clock() - renewed_at < self._timing.renew_seconds

    async def acquire(self) -> None:
        """Returns when the Lease is ours."""
        while not await self._try_to_take():  # noqa: ASYNC110  # the event is on another machine
            await asyncio.sleep(self._timing.retry_seconds * random.uniform(1, 1.2))  # noqa: S311
        logger.info("leader.acquired", extra={"identity": self._identity})

    async def hold(self) -> None:
        """Renews until that fails for too long, which is `LeaseLost`."""
        while True:
            await asyncio.sleep(self._timing.retry_seconds)
            try:
                async with asyncio.timeout(self._seconds_left()):
                    await self._renew()
            except (ClusterError, TimeoutError) as error:
                logger.warning("leader.renew_failed", extra={"error": str(error)})
            if not self.holds():
                msg = f"the Lease was not renewed for {self._timing.renew_seconds} s"
                raise LeaseLost(msg)

    async def release(self) -> None:
        """Lets another replica take over at once. Failing is harmless: the Lease expires."""
        if not self.holds():
            return
        self._renewed_at = None
        try:
            await self._lease.write(self._seen, "", datetime.now(UTC), 1)
        except ClusterError as error:
            logger.warning("leader.release_failed", extra={"error": str(error)})
        else:
            logger.info("leader.released", extra={"identity": self._identity})

    def _seconds_left(self) -> float:
        renewed_at = self._renewed_at if self._renewed_at is not None else self._clock()
        return max(0.0, self._timing.renew_seconds - (self._clock() - renewed_at))

    async def _try_to_take(self) -> bool:
        try:
            found = await self._lease.read()
            self._observe(found)
            if not self._may_take(found):
                return False
            await self._write(found)
        except ClusterError as error:
            logger.info("leader.not_acquired", extra={"error": str(error)})
            return False
        return True

    def _observe(self, found: LeaseRecord) -> None:
        if found.version != self._seen.version:
            self._seen, self._seen_at = found, self._clock()

    def _may_take(self, found: LeaseRecord) -> bool:
        if found.holder in ("", self._identity):
            return True
        return self._clock() - self._seen_at >= self._timing.lease_seconds

    async def _renew(self) -> None:
        try:
            await self._write(self._seen)
        except Conflict:
            found = await self._lease.read()
            if found.holder != self._identity:
                self._renewed_at = None
                msg = f"the Lease is held by {found.holder or 'nobody'}"
                raise LeaseLost(msg) from None
            await self._write(found)

    async def _write(self, former: LeaseRecord) -> None:
        began = self._clock()
        self._seen = await self._lease.write(
            former, self._identity, datetime.now(UTC), self._timing.lease_seconds
        )
        self._renewed_at = began
