"""What sidecars said last, through outages of the Redis where they say it."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from penstock_config.heartbeat import EXPIRY_SECONDS
from penstock_operator.delivery.pods import SeenPod
from penstock_operator.delivery.standing import NOBODY, Heard
from penstock_operator.ledger.heartbeats import read_heartbeats
from penstock_operator.ledger.store import LedgerAway, Store

READ_SECONDS: Final = 20.0
"""For all heartbeats together."""
logger = logging.getLogger(__name__)


class Hearing:
    """A Redis that was away may have lost heartbeats, and says so to nobody: for as long as one
    lives, what is missing after an outage is unknown, and what was there before it still counts."""

    def __init__(self, cluster: str, clock: Callable[[], float]) -> None:
        self._cluster = cluster
        self._clock = clock
        self._last: Heard = NOBODY
        self._answered_at = float("-inf")
        self._away = False
        self._back_at = float("-inf")

    async def hear(self, store: Store | None, pods: Mapping[str, Iterable[SeenPod]]) -> Heard:
        """The heartbeats of pods by namespace. Nobody's, without a Redis."""
        if store is None:
            return NOBODY
        uids = {namespace: [pod.uid for pod in found] for namespace, found in pods.items()}
        try:
            async with asyncio.timeout(READ_SECONDS):
                found = await read_heartbeats(store, self._cluster, uids)
        except LedgerAway as error:
            return self._missed(str(error))
        except TimeoutError:
            return self._missed(f"not done in {READ_SECONDS} s")
        return self._got(found)

    def _missed(self, why: str) -> Heard:
        if not self._away:
            logger.warning("heartbeats.away", extra={"error": why})
        self._away = True
        fresh = self._clock() - self._answered_at < EXPIRY_SECONDS
        return self._last if fresh else NOBODY

    def _got(self, found: Heard) -> Heard:
        now = self._clock()
        if self._away:
            self._away, self._back_at = False, now
            logger.info("heartbeats.back")
        if now - self._back_at < EXPIRY_SECONDS:
            found = {uid: beat for uid, beat in found.items() if beat is not None}
        self._last, self._answered_at = found, now
        return found
