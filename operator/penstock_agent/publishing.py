"""Writes what is worth it into the node's ConfigMap, again and again where that fails."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from penstock_agent.changes import worth_writing
from penstock_operator.cluster import ClusterError
from penstock_operator.ollama.gpus import NodeGpus

FIRST_RETRY_SECONDS: Final = 1
MAX_RETRY_SECONDS: Final = 30
Write = Callable[[NodeGpus], Awaitable[None]]
"""Raises `ClusterError`."""
logger = logging.getLogger(__name__)


class Publisher:
    """Of several readings that wait, only the newest is written."""

    def __init__(
        self,
        write: Write,
        jitter: Callable[[], float],
        count: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`jitter` gives 0 to 1, so that a cluster's agents do not come back all at once; `count`
        is told how each write ended: ok, failed."""
        self._write = write
        self._jitter = jitter
        self._count = count
        self._offered = asyncio.Event()
        self._latest: NodeGpus | None = None
        self._written: NodeGpus | None = None
        self._failures = 0
        self._missing: str | None = "nothing was written yet"

    def offer(self, found: NodeGpus) -> None:
        """The newest reading."""
        self._latest = found
        self._offered.set()

    def missing(self) -> str | None:
        """What is wrong with the ConfigMap; `None` when it says the newest that was worth it."""
        return self._missing

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._publish(await self._worth_writing())

    async def _worth_writing(self) -> NodeGpus:
        while True:
            if self._latest is not None and worth_writing(self._written, self._latest):
                return self._latest
            self._offered.clear()
            await self._offered.wait()

    async def _publish(self, found: NodeGpus) -> None:
        try:
            await self._write(found)
        except ClusterError as error:
            await self._back_off(error)
            return
        self._count("ok")
        if self._failures:
            logger.info("inventory.written_again", extra={"failures": self._failures})
        self._written, self._failures, self._missing = found, 0, None

    async def _back_off(self, error: ClusterError) -> None:
        """A second at least: so many lines a failure may fill the log with."""
        self._count("failed")
        self._missing = f"the ConfigMap was not written: {error}"
        delay = min(FIRST_RETRY_SECONDS * 2.0**self._failures, MAX_RETRY_SECONDS)
        delay *= 1 + self._jitter() / 2
        self._failures += 1
        said = {"error": str(error), "retry_seconds": round(delay, 1)}
        logger.warning("inventory.write_failed", extra=said)
        await asyncio.sleep(delay)
