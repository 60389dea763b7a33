"""Every few seconds: what sidecars say of themselves, out of Redis into RoutePolicies' statuses.

    read all heartbeats ─► count by policy ─► write the statuses that changed

Only the active replica does it. How many there are comes from Pods; Redis says what they run.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.cluster import Cluster
from penstock_operator.cluster.statuses import apply_delivery
from penstock_operator.delivery.page import (
    Document,
    Facts,
    is_programmed,
    own_part,
    status_of,
)
from penstock_operator.delivery.pods import SeenPod
from penstock_operator.delivery.standing import Counts, counts_by_policy
from penstock_operator.handlers.compilation import Policies
from penstock_operator.handlers.hearing import Hearing
from penstock_operator.handlers.inventory import Inventory, Seen
from penstock_operator.handlers.writing import Pen
from penstock_operator.ledger.store import Store, opened_if_named
from penstock_operator.metrics import Metrics
from penstock_operator.plan import Published
from penstock_operator.settings import Settings

SOON_SECONDS: Final = 1.0
"""Between two rounds while something is under way."""
UNDER_WAY_SECONDS: Final = 30.0
"""So long after a change sidecars are looked at more often."""
STANDINGS: Final = ("current", "stale", "rejected", "unknown")
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Kept:
    """What this process knows of one policy's status."""

    document: Document
    """Delivery's part of it."""
    written_at: float = float("-inf")


class Sidecars:
    """`compiled` returns when everything was, once; `policies` are those of the last time."""

    def __init__(
        self,
        cluster: Cluster,
        inventory: Inventory,
        settings: Settings,
        metrics: Metrics,
        compiled: Callable[[], Awaitable[object]],
        policies: Callable[[], Policies],
    ) -> None:
        self._inventory = inventory
        self._settings = settings
        self._metrics = metrics
        self._compiled = compiled
        self._policies = policies
        self._hearing = Hearing(settings.cluster, time.monotonic)
        self._kept: dict[str, Kept] = {}
        self._pen = Pen(cluster, metrics, apply_delivery, "delivery", "sidecars.not_told")
        self._moved = asyncio.Event()
        self._moved_at = float("-inf")

    async def run(self) -> None:
        """Never ends."""
        await self._compiled()
        self._inventory.listeners.append(self._moved.set)
        async with opened_if_named(self._settings) as store:
            while True:
                complete = await self._guarded(store)
                await self._pause(complete=complete)

    async def _pause(self, *, complete: bool) -> None:
        """Short while sidecars are on their way to what was published lately."""
        await asyncio.sleep(min(SOON_SECONDS, self._settings.budget_seconds))
        if self._moved.is_set():
            self._moved.clear()
            self._moved_at = time.monotonic()
        if complete or time.monotonic() - self._moved_at > UNDER_WAY_SECONDS:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.budget_seconds - SOON_SECONDS):
                    await self._moved.wait()

    async def _guarded(self, store: Store | None) -> bool:
        """Whether nothing is left that the next round could find otherwise."""
        try:
            return await self._round(store)
        except Exception:  # heard of by the log; one bad round must not end all later ones
            logger.exception("sidecars.failed")
            return False

    async def _round(self, store: Store | None) -> bool:
        policies = self._policies()
        pods: dict[str, list[SeenPod]] = {}
        for pod in self._inventory.pods.values():
            if pod.namespace in policies:
                pods.setdefault(pod.namespace, []).append(pod)
        heard = await self._hearing.hear(store, pods)
        counts: dict[str, Counts] = {}
        for namespace, found in policies.items():
            published = self._inventory.published.get(namespace, Published())
            counts |= counts_by_policy(found, pods.get(namespace, ()), published, heard)
        self._measure(counts)
        return await self._tell(counts)

    async def _tell(self, counts: Mapping[str, Counts]) -> bool:
        policies = [s for s in self._inventory.objects.values() if s.ref.kind == RoutePolicy.kind]
        self._kept = {s.uid: self._kept.get(s.uid) or Kept(own_part(s.status)) for s in policies}
        now = datetime.now(UTC).replace(microsecond=0)
        async with asyncio.TaskGroup() as group:
            tasks = []
            for seen in filter(_is_looked_at, policies):
                kept = self._kept[seen.uid]
                document = status_of(self._facts(seen, counts), kept.document, now)
                if document != kept.document:
                    tasks.append(group.create_task(self._write(seen, document, kept)))
        written = all(task.result() for task in tasks)
        return written and all(_is_ready(kept) for kept in self._kept.values())

    def _facts(self, seen: Seen, counts: Mapping[str, Counts]) -> Facts:
        conditions = {str(each.get("type")): each for each in seen.conditions}
        published = self._inventory.published.get(seen.ref.namespace, Published())
        compiled = seen.ref.namespace in self._policies()
        found = counts.get(seen.ref.id, Counts() if compiled else None)
        programmed = is_programmed(conditions, seen.generation)
        return Facts(seen.generation, programmed, found, published.config or None)

    async def _write(self, seen: Seen, document: Document, kept: Kept) -> bool:
        """Whether it is as it should be."""
        if time.monotonic() - kept.written_at < self._settings.budget_seconds / 2:
            return False
        outcome = await self._pen.write(seen, document)
        if outcome == "written":
            kept.document, kept.written_at = document, time.monotonic()
        return outcome != "failed"

    def _measure(self, counts: Mapping[str, Counts]) -> None:
        for name in STANDINGS:
            total = sum(getattr(each, name) for each in counts.values())
            self._metrics.sidecars.labels(name).set(total)


def _is_looked_at(seen: Seen) -> bool:
    """Of a new generation its conditions come first, and say whether it is programmed."""
    return seen.observed_generation == seen.generation


def _is_ready(kept: Kept) -> bool:
    return all(condition["status"] == "True" for condition in kept.document["conditions"])
