"""The fleet's part of LLMProviders' statuses, and the Events about what is new in it.

What has come a little further is written at most each `PROGRESS_SECONDS`, everything else at once.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from penstock_operator.cluster import Cluster
from penstock_operator.cluster.statuses import apply_fleet
from penstock_operator.fleet.page import (
    Document,
    is_urgent,
    news_of,
    own_part,
    with_dropped,
)
from penstock_operator.handlers.inventory import Seen
from penstock_operator.handlers.reporting import note_of
from penstock_operator.handlers.writing import Pen
from penstock_operator.metrics import Metrics

PROGRESS_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 30.0


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
        self._clock = clock
        self._wall_clock = wall_clock
        self._kept: dict[str, _Kept] = {}
        self._pen = Pen(cluster, metrics, apply_fleet, "fleet", "fleet.not_told")

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
                await self._pen.post(note_of(seen, *each), self._wall_clock())

    def _is_time(self, seen: Seen, document: Document) -> bool:
        kept, now = self._kept[seen.uid], self._clock()
        if now - kept.refused_at < RETRY_SECONDS:
            return False
        return is_urgent(document, kept.document) or now - kept.written_at >= PROGRESS_SECONDS

    async def _written(self, seen: Seen, document: Document) -> bool:
        kept = self._kept[seen.uid]
        both = with_dropped(document, kept.document)
        documents = (document,) if both is None else (both, document)
        outcome = await self._pen.write(seen, *documents)
        if outcome == "failed":
            kept.refused_at = self._clock()
        elif outcome == "written":
            kept.document, kept.written_at = document, self._clock()
        return outcome == "written"
