"""Alerts to webhooks: tried again, later each time, for a day.

What is to be delivered lies in the Budget's status (`ledger.alerts`), so that the next process goes
on where this one ends. A receiver may be called twice for one alert, when we die between its answer
and our note of it: `Idempotency-Key` is the same then, also from another replica.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp

from penstock_operator.cluster import Cluster, ClusterError
from penstock_operator.cluster.secrets import secret_values
from penstock_operator.handlers.webhook_post import CallFailed, CallRefused, call
from penstock_operator.ledger.account import Account
from penstock_operator.ledger.alerts import Alert, AlertKey, Delivery
from penstock_operator.ledger.page import News, given_up_news
from penstock_operator.ledger.record import usd
from penstock_operator.metrics import Metrics

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 600.0
PATIENCE: Final = timedelta(days=1)
MAX_AT_ONCE: Final = 8
MAX_WAITING: Final = 1000
"""Beyond this, deliveries begin when others have ended: every round offers them again."""
Parcel = tuple[str, AlertKey]
"""The Budget's uid, and which alert."""
Tell = Callable[[Account, News], Awaitable[object]]
logger = logging.getLogger(__name__)


class Courier:
    """Deliveries live in the group of tasks that it is given."""

    def __init__(  # noqa: PLR0913  # each is another thing from outside
        self,
        tasks: asyncio.TaskGroup,
        cluster: Cluster,
        client: aiohttp.ClientSession,
        tell: Tell,
        metrics: Metrics,
        may_call: Callable[[], bool],
        *,
        installation: str,
        loopback: bool = False,
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        self._tasks = tasks
        self._cluster = cluster
        self._client = client
        self._tell = tell
        self._metrics = metrics
        self._may_call = may_call
        self._installation = installation
        self._loopback = loopback
        self._first_pause = first_pause_seconds
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        self._accounts: dict[str, Account] = {}
        self._running: set[Parcel] = set()
        self._ended: dict[Parcel, Delivery] = {}

    def offer(self, account: Account, alert: Alert) -> None:
        """Begins to deliver it, unless that is under way or done; knows the Budget as it is now."""
        self._accounts[account.uid] = account
        parcel = (account.uid, alert.key)
        if parcel in self._running or parcel in self._ended or len(self._running) >= MAX_WAITING:
            return
        self._running.add(parcel)
        self._tasks.create_task(self._deliver(parcel, alert))

    def outcome(self, uid: str, key: AlertKey) -> Delivery | None:
        """How the delivery ended; `None` while it has not."""
        return self._ended.get((uid, key))

    def keep(self, open_alerts: Mapping[str, Collection[AlertKey]]) -> None:
        """Forgets Budgets, by uid, that are gone, and ends that their statuses know."""
        self._accounts = {uid: each for uid, each in self._accounts.items() if uid in open_alerts}
        self._ended = {
            (uid, key): how
            for (uid, key), how in self._ended.items()
            if key in open_alerts.get(uid, ())
        }

    async def _deliver(self, parcel: Parcel, alert: Alert) -> None:
        pause = self._first_pause
        try:
            while account := self._accounts.get(parcel[0]):
                ended, why = await self._attempt(account, alert)
                if ended is not None:
                    await self._end(account, alert, ended, why)
                    return
                await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        finally:
            self._running.discard(parcel)

    async def _end(self, account: Account, alert: Alert, ended: Delivery, why: str) -> None:
        self._ended[(account.uid, alert.key)] = ended
        if ended == "GivenUp":
            self._metrics.notifications.labels("given_up").inc()
            await self._tell(account, given_up_news(alert, why))

    async def _attempt(self, account: Account, alert: Alert) -> tuple[Delivery | None, str]:
        """How it ended, or `None` and why it is to be tried again."""
        if account.webhook is None:
            return "NotAsked", ""
        try:
            async with self._slots:
                await self._call(account, alert)
        except CallFailed as error:
            self._metrics.notifications.labels("failed").inc()
            fields = {"object": str(account.ref), "error": str(error)}
            logger.warning("notify.failed", extra=fields)
            given_up = _is_over(alert) or isinstance(error, CallRefused)
            return ("GivenUp" if given_up else None), str(error)
        except Exception:  # heard of by log and metric; one parcel must not stop all others
            self._metrics.notifications.labels("failed").inc()
            logger.exception("notify.broke", extra={"object": str(account.ref)})
            return ("GivenUp" if _is_over(alert) else None), "the operator failed: see its log"
        self._metrics.notifications.labels("ok").inc()
        return "Delivered", ""

    async def _call(self, account: Account, alert: Alert) -> None:
        url = await self._url(account)
        if not self._may_call():
            msg = "another replica may be active"
            raise CallFailed(msg)
        payload = payload_of(account, alert, self._installation)
        key = idempotency_key(account, alert)
        await call(self._client, url, payload, key, loopback=self._loopback)

    async def _url(self, account: Account) -> str:
        """Read again for each attempt: a Secret that is mended is used at once."""
        ref = account.webhook
        namespace = account.ref.namespace
        try:
            values = await secret_values(self._cluster, namespace, ref.name) if ref else None
        except ClusterError as error:
            msg = f"the Secret cannot be read: {type(error).__name__}"
            raise CallFailed(msg) from error
        value = (values or {}).get(ref.key if ref else "")
        if not value:
            msg = "the Secret of notify, or its key, is not there"
            raise CallFailed(msg)
        return value.decode("utf-8", "replace").strip()


def _is_over(alert: Alert) -> bool:
    return datetime.now(UTC) - alert.at >= PATIENCE


def idempotency_key(account: Account, alert: Alert) -> str:
    return f"{account.uid}-{alert.period}-{alert.label}-{alert.percent}"


def payload_of(account: Account, alert: Alert, installation: str) -> dict[str, Any]:
    """The same for every attempt."""
    return {
        "type": "penstock.dev/budget.alert",
        "cluster": installation,
        "namespace": account.ref.namespace,
        "budget": account.ref.name,
        "period": alert.period,
        "label": alert.label,
        "thresholdPercent": alert.percent,
        "limitUSD": usd(alert.limit),
        "spentUSD": usd(alert.spent),
        "time": alert.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
