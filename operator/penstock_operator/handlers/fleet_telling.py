"""The fleet's part of LLMProviders' statuses, and the Events about what is new in it.

What has come a little further is written at most each `PROGRESS_SECONDS`, everything else at once.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from penstock_operator.cluster import Cluster, ClusterError, Conflict, Forbidden, NotFound
from penstock_operator.cluster.events import Note, post
from penstock_operator.cluster.statuses import apply_fleet
from penstock_operator.fleet.page import (
    Document,
    News,
    is_urgent,
    news_of,
    own_part,
    with_dropped,
)
from penstock_operator.handlers.inventory import Seen
from penstock_operator.metrics import Metrics

PROGRESS_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 30.0
MAX_WRITES_AT_ONCE: Final = 16
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Kept:
    document: Document
    written_at: float = float("-inf")
    refused_at: float = float("-inf")


class Telling:
    """Knows what was said of each provider, by UID."""

    def __init__(
        self,
        cluster: Cluster,
        metrics: Metrics,
        clock: Callable[[], float],
        wall_clock: Callable[[], datetime],
    ) -> None:
        self._cluster = cluster
        self._metrics = metrics
        self._clock = clock
        self._wall_clock = wall_clock
        self._kept: dict[str, _Kept] = {}
        self._slots = asyncio.Semaphore(MAX_WRITES_AT_ONCE)

    def former(self, seen: Seen) -> Document:
        """What is said of it now."""
        if seen.uid not in self._kept:
            status = {**seen.status, "conditions": list(seen.conditions)}
            self._kept[seen.uid] = _Kept(own_part(status))
        return self._kept[seen.uid].document

    def forget(self, uids: Iterable[str]) -> None:
        """All but these."""
        there = frozenset(uids)
        self._kept = {uid: kept for uid, kept in self._kept.items() if uid in there}

    async def tell(self, seen: Seen, document: Document) -> None:
        """The status goes first, then the Events about it."""
        former = self.former(seen)
        if document == former or not self._is_time(seen, document):
            return
        if await self._written(seen, document):
            for each in news_of(document, former, self._wall_clock()):
                await self._post(seen, each)

    def _is_time(self, seen: Seen, document: Document) -> bool:
        kept, now = self._kept[seen.uid], self._clock()
        if now - kept.refused_at < RETRY_SECONDS:
            return False
        return is_urgent(document, kept.document) or now - kept.written_at >= PROGRESS_SECONDS

    async def _written(self, seen: Seen, document: Document) -> bool:
        kept = self._kept[seen.uid]
        try:
            async with self._slots:
                if (both := with_dropped(document, kept.document)) is not None:
                    await apply_fleet(self._cluster, seen.ref, seen.uid, both)
                await apply_fleet(self._cluster, seen.ref, seen.uid, document)
        except (NotFound, Conflict):
            return False  # gone, or another one of its name: the watch tells
        except ClusterError as error:
            kept.refused_at = self._clock()
            self._metrics.writes.labels("fleet", "failed").inc()
            fields = {"object": str(seen.ref), "error": str(error)}
            logger.warning("fleet.not_told", extra=fields)
            return False
        self._metrics.writes.labels("fleet", "ok").inc()
        kept.document, kept.written_at = document, self._clock()
        return True

    async def _post(self, seen: Seen, news: News) -> None:
        """Events are a courtesy: one that cannot be posted is logged, and not tried again."""
        type_, reason, message, occasion = news
        ref = seen.ref
        note = Note(ref.kind, ref.namespace, ref.name, seen.uid, type_, reason, message, occasion)
        try:
            async with self._slots:
                await post(self._cluster, note, self._wall_clock())
        except ClusterError as error:
            level = logging.DEBUG if isinstance(error, Forbidden) else logging.WARNING
            logger.log(level, "event.failed", extra={"error": str(error)})
