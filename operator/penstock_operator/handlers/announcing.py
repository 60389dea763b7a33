"""The ledger's news into statuses, Events, metrics and webhooks, so that each is told once.

    Events of changes ──► status (figures; alerts as crossed) ──► Event, metric, webhook of each
    alert ──► the next status (alerts as told)

Dying between any two of them loses nothing: what comes before the status is found again by
comparing with it, what comes after is in it. The names of Events keep them from being said twice.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from penstock_operator.cluster import Cluster, ClusterError, Conflict, Forbidden, NotFound
from penstock_operator.cluster.events import Note, post
from penstock_operator.cluster.statuses import apply_figures
from penstock_operator.handlers.courier import Courier
from penstock_operator.ledger.account import Account
from penstock_operator.ledger.alerts import Alert, AlertKey, Progress, update
from penstock_operator.ledger.figures import Figures
from penstock_operator.ledger.page import News, alert_news, is_worth_writing, news_of, status_of
from penstock_operator.ledger.record import Record, record_of
from penstock_operator.metrics import Metrics

MAX_WRITES_AT_ONCE: Final = 16
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Kept:
    """What this process knows of one Budget."""

    record: Record
    """The ledger's part of its status."""
    written_at: float = float("-inf")
    read_at: float = field(default_factory=time.monotonic)
    """When its spending was last read."""
    told: set[AlertKey] = field(default_factory=set)
    """Alerts whose Event was posted since the status was written."""
    counted: set[AlertKey] = field(default_factory=set)
    posted: set[tuple[str, ...]] = field(default_factory=set)
    """Occasions of Events that wait for the status to be written."""

    @property
    def open_alerts(self) -> frozenset[AlertKey]:
        return frozenset(alert.key for alert in self.record.alerts if alert.open)


class Announcer:
    """Writes a Budget's status when it is worth it, and tells what is new.

    `gap_seconds` lie between two writes of one status, at least.
    """

    def __init__(self, cluster: Cluster, metrics: Metrics, gap_seconds: float) -> None:
        self._cluster = cluster
        self._gap_seconds = gap_seconds
        self._metrics = metrics
        self._slots = asyncio.Semaphore(MAX_WRITES_AT_ONCE)

    async def announce(
        self, account: Account, figures: Figures, kept: Kept, courier: Courier
    ) -> None:
        """Whatever fails is found again in the next round."""
        alerts = update(
            account,
            kept.record.alerts,
            figures.spent,
            self._progress(account, kept, courier),
            figures.at,
        )
        document = status_of(account, figures, alerts, kept.record)
        if is_worth_writing(document, kept.record) and self._may_write(kept):
            said = [
                await self._once(account, news, kept)
                for news in news_of(account, figures, kept.record)
            ]
            if not all(said) or not await self.write(account, document, kept):
                return
        for alert in kept.record.alerts:
            if alert.open:
                await self._tell(account, alert, kept, courier)

    def _may_write(self, kept: Kept) -> bool:
        return time.monotonic() - kept.written_at >= self._gap_seconds

    @staticmethod
    def _progress(account: Account, kept: Kept, courier: Courier) -> Mapping[AlertKey, Progress]:
        return {
            alert.key: Progress(alert.key in kept.told, courier.outcome(account.uid, alert.key))
            for alert in kept.record.alerts
            if alert.open
        }

    async def write(self, account: Account, document: Mapping[str, Any], kept: Kept) -> bool:
        """Whether the status says it now, or there is no such Budget any more."""
        try:
            async with self._slots:
                await apply_figures(self._cluster, account.ref, account.uid, document)
        except (NotFound, Conflict):
            return False  # gone, or another one of its name: the watch tells
        except ClusterError as error:
            self._metrics.writes.labels("figures", "failed").inc()
            fields = {"object": str(account.ref), "error": str(error)}
            logger.warning("figures.failed", extra=fields)
            return False
        self._metrics.writes.labels("figures", "ok").inc()
        kept.record, kept.written_at = record_of(document), time.monotonic()
        kept.told -= {alert.key for alert in kept.record.alerts if alert.told}
        kept.counted &= {alert.key for alert in kept.record.alerts}
        kept.posted.clear()
        return True

    async def _tell(self, account: Account, alert: Alert, kept: Kept, courier: Courier) -> None:
        """The alert is in the status: from here on nobody forgets it."""
        if not alert.told and alert.key not in kept.told:
            if alert.key not in kept.counted:
                kept.counted.add(alert.key)
                ref = account.ref
                self._metrics.budget_alerts.labels(
                    ref.namespace, ref.name, alert.period, str(alert.percent)
                ).inc()
            if not await self.say(account, alert_news(alert)):
                return
            kept.told.add(alert.key)
        if alert.delivery == "Pending":
            courier.offer(account, alert)

    async def _once(self, account: Account, news: News, kept: Kept) -> bool:
        occasion = (news.reason, *news.occasion)
        if occasion in kept.posted:
            return True
        if not await self.say(account, news):
            return False
        kept.posted.add(occasion)
        return True

    async def say(self, account: Account, news: News) -> bool:
        """Posts an Event. Where that is forbidden there are none, which is no reason to wait."""
        ref = account.ref
        note = Note(
            ref.kind,
            ref.namespace,
            ref.name,
            account.uid,
            news.type,
            news.reason,
            news.message,
            news.occasion,
        )
        try:
            async with self._slots:
                await post(self._cluster, note, datetime.now(UTC))
        except (Forbidden, NotFound) as error:
            logger.debug("event.failed", extra={"error": str(error)})
        except ClusterError as error:
            logger.warning("event.failed", extra={"error": str(error)})
            return False
        return True


def show_utilisation(metrics: Metrics, pages: Iterable[tuple[Account, Figures]]) -> None:
    """The gauge of every budget that could be read, and of no other."""
    metrics.budget_utilisation.clear()
    for account, figures in pages:
        for line in figures.lines:
            gauge = metrics.budget_utilisation.labels(
                account.ref.namespace, account.ref.name, line.span.period
            )
            gauge.set(line.sums.used / line.limit if line.limit else 1)
