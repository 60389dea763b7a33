"""One part of custom resources' statuses, written, and Events posted about what is new in it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from penstock_operator.cluster import Cluster, ClusterError, Conflict, Forbidden, NotFound
from penstock_operator.cluster.events import Note, post
from penstock_operator.compile.problem import ObjectRef
from penstock_operator.handlers.inventory import Seen
from penstock_operator.metrics import Metrics

Apply = Callable[[Cluster, ObjectRef, str, dict[str, Any]], Awaitable[None]]
Outcome = Literal["written", "gone", "failed"]
MAX_WRITES_AT_ONCE: Final = 16
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes what `apply` writes."""

    cluster: Cluster
    metrics: Metrics
    apply: Apply
    part: str
    """As metrics call it."""
    failure: str
    """The name of the log's event where a status could not be written."""
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_WRITES_AT_ONCE))

    async def write(self, seen: Seen, *documents: dict[str, Any]) -> Outcome:
        """One after the other. What failed is logged and counted."""
        try:
            async with self._slots:
                for document in documents:
                    await self.apply(self.cluster, seen.ref, seen.uid, document)
        except (NotFound, Conflict):
            return "gone"  # or another one of its name: the watch tells
        except ClusterError as error:
            self.metrics.writes.labels(self.part, "failed").inc()
            fields = {"object": str(seen.ref), "error": str(error)}
            logger.warning(self.failure, extra=fields)
            return "failed"
        self.metrics.writes.labels(self.part, "ok").inc()
        return "written"

    async def post(self, note: Note, now: datetime) -> None:
        """As `post_once`, in its turn."""
        async with self._slots:
            await post_once(self.cluster, note, now)


async def post_once(cluster: Cluster, note: Note, now: datetime) -> None:
    """Events are a courtesy: one that cannot be posted is logged, and not tried again."""
    try:
        await post(cluster, note, now)
    except ClusterError as error:
        level = logging.DEBUG if isinstance(error, Forbidden) else logging.WARNING
        logger.log(level, "event.failed", extra={"error": str(error)})
