"""Every few seconds: what was spent, out of Redis and into the Budgets' statuses.

    read all books ─► raise what Redis lost ─► decide ─► announce (each Budget by itself)

Only the active replica does it. Without Redis the figures stay, and after a while say so.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from penstock_operator.cluster import Cluster
from penstock_operator.handlers.accounts import Accounts
from penstock_operator.handlers.announcing import Announcer, Kept, show_utilisation
from penstock_operator.handlers.courier import Courier
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.handlers.webhook_post import session
from penstock_operator.ledger.account import Account
from penstock_operator.ledger.figures import Figures, figures_of
from penstock_operator.ledger.housekeeping import Housekeeper, trim_spenders
from penstock_operator.ledger.page import is_worth_writing, status_without_redis
from penstock_operator.ledger.reading import Reading, read
from penstock_operator.ledger.record import record_of
from penstock_operator.ledger.restoring import PATIENCE_SECONDS, Restorer
from penstock_operator.ledger.store import LedgerAway, Store, opened
from penstock_operator.metrics import Metrics
from penstock_operator.settings import Settings

AWAY_SECONDS: Final = 30.0
"""So long figures pass for fresh without Redis."""
ROUND_SECONDS: Final = 20.0
"""For the part of a round that speaks with Redis."""
CLEAN_SECONDS: Final = 180.0
SAY_AGAIN_SECONDS: Final = 60.0
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """What a round works with."""

    store: Store
    restorer: Restorer
    housekeeper: Housekeeper
    courier: Courier


class Books:
    """The ledger's loop. `listed` returns when the inventory knows every Budget."""

    def __init__(  # noqa: PLR0913  # each is another thing from outside
        self,
        cluster: Cluster,
        inventory: Inventory,
        settings: Settings,
        metrics: Metrics,
        may_write: Callable[[], bool],
        listed: Callable[[], Awaitable[object]],
        *,
        away_seconds: float = AWAY_SECONDS,
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._metrics = metrics
        self._may_write = may_write
        self._listed = listed
        self._away_seconds = away_seconds
        self._accounts = Accounts(inventory, settings.cluster)
        self._announcer = Announcer(cluster, metrics, settings.budget_seconds)
        self._kept: dict[str, Kept] = {}
        self._answered_at = time.monotonic()
        self._said_at = float("-inf")
        self._cleaned_at = time.monotonic()

    async def run(self) -> None:
        """Never ends. Returns at once where no Redis is named."""
        if self._settings.redis_url is None:
            return
        await self._listed()
        loopback = self._settings.notify_loopback
        async with (
            opened(self._settings) as store,
            session(loopback=loopback) as client,
            asyncio.TaskGroup() as tasks,
        ):
            courier = Courier(
                tasks,
                self._cluster,
                client,
                self._announcer.say,
                self._metrics,
                self._may_write,
                installation=self._settings.cluster,
                loopback=loopback,
            )
            round_ = Round(store, Restorer(store, time.monotonic), Housekeeper(store), courier)
            while True:
                soon = await self._guarded(round_)
                pause = self._settings.budget_seconds * random.uniform(1, 1.1)  # noqa: S311
                await asyncio.sleep(min(pause, PATIENCE_SECONDS) if soon else pause)

    async def _guarded(self, tools: Round) -> bool:
        """Whether the next round should come soon."""
        began, soon, result = time.monotonic(), False, "failed"
        try:
            soon = await self._round(tools)
            result = "ok"
        except LedgerAway as error:
            await self._away(str(error))
        except TimeoutError:
            await self._away(f"not done in {ROUND_SECONDS} s")
        except Exception:  # heard of by log and metric; one bad round must not end all later ones
            logger.exception("ledger.failed")
        self._metrics.ledger_rounds.labels(result).inc()
        self._metrics.ledger_seconds.observe(time.monotonic() - began)
        return soon

    async def _round(self, tools: Round) -> bool:
        accounts = self._open()
        tools.courier.keep({uid: kept.open_alerts for uid, kept in self._kept.items()})
        async with asyncio.timeout(ROUND_SECONDS):
            at = await tools.store.now()
            reading = await read(tools.store, accounts, at)
            known = {b: self._kept[a.uid].record.known(b) for a in accounts for b in a.books}
            soon = await tools.restorer.restore(known, reading)
            await trim_spenders(tools.store, reading)
        self._back()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._page(a, reading, at, tools.courier)) for a in accounts]
        show_utilisation(self._metrics, [found for task in tasks if (found := task.result())])
        await self._clean(tools.housekeeper, accounts, at)
        return soon

    async def _page(
        self, account: Account, reading: Reading, at: float, courier: Courier
    ) -> tuple[Account, Figures] | None:
        """One Budget's turn, which is no other's business."""
        kept = self._kept[account.uid]
        try:
            figures = figures_of(account, reading, kept.record, at)
            if figures is None:
                await self._say_unknown(account)
                return None
            kept.read_at = time.monotonic()
            await self._announcer.announce(account, figures, kept, courier)
        except Exception:  # heard of by the log; the Budget's `observedTime` grows old
            logger.exception("ledger.budget_failed", extra={"object": str(account.ref)})
            return None
        return account, figures

    async def _say_unknown(self, account: Account) -> None:
        kept = self._kept[account.uid]
        if time.monotonic() - kept.read_at < self._away_seconds:
            return
        now = datetime.now(UTC).replace(microsecond=0)
        document = status_without_redis(account, kept.record, now)
        if is_worth_writing(document, kept.record):
            await self._announcer.write(account, document, kept)

    def _open(self) -> list[Account]:
        """Every account; what its Budget's status said is read once, at first."""
        current = self._accounts.current()
        self._kept = {
            account.uid: self._kept.get(account.uid) or Kept(record_of(seen.status))
            for account, seen in current
        }
        return [account for account, _ in current]

    async def _clean(self, housekeeper: Housekeeper, accounts: list[Account], at: float) -> None:
        if time.monotonic() - self._cleaned_at < CLEAN_SECONDS:
            return
        self._cleaned_at = time.monotonic()
        async with asyncio.timeout(ROUND_SECONDS):
            await housekeeper.clean(accounts, at)

    def _back(self) -> None:
        if self._said_at > self._answered_at:
            logger.info("ledger.back")
        self._answered_at = time.monotonic()

    async def _away(self, why: str) -> None:
        """At most one line a minute."""
        now = time.monotonic()
        if now - self._said_at >= SAY_AGAIN_SECONDS or self._said_at <= self._answered_at:
            self._said_at = now
            logger.warning("ledger.away", extra={"error": why})
        for account in self._open():
            await self._say_unknown(account)
