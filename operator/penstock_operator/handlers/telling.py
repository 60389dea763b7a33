"""Reports into status and Events."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from penstock_operator.cluster import Cluster, ClusterError, Conflict, NotFound
from penstock_operator.cluster.events import Note
from penstock_operator.cluster.statuses import apply_conditions
from penstock_operator.compile.problem import ObjectRef, Problem
from penstock_operator.handlers.compilation import Outcome
from penstock_operator.handlers.inventory import Inventory, Seen
from penstock_operator.handlers.reporting import Report, Written, programming, report, uses
from penstock_operator.handlers.writing import MAX_WRITES_AT_ONCE, post_once
from penstock_operator.metrics import Metrics

logger = logging.getLogger(__name__)


class Teller:
    """Writes a status only when it changed. The status goes first, then the Events about it.

    A leader that dies between the two leaves Events unsaid; the next one says those of recent bad
    conditions, and the Events' names keep it from saying them twice.
    """

    def __init__(self, cluster: Cluster, inventory: Inventory, metrics: Metrics) -> None:
        self._cluster = cluster
        self._inventory = inventory
        self._metrics = metrics
        self._slots = asyncio.Semaphore(MAX_WRITES_AT_ONCE)
        self._told: set[str] = set()

    async def tell(self, outcome: Outcome, written: Written) -> bool:
        """Whether every status is as it should be."""
        problems: dict[ObjectRef, list[Problem]] = defaultdict(list)
        for problem in outcome.problems:
            problems[problem.object].append(problem)
        used_by, now = uses(outcome.configs), datetime.now(UTC).replace(microsecond=0)
        seen_now = tuple(self._inventory.objects.values())
        self._told &= {seen.uid for seen in seen_now}
        async with asyncio.TaskGroup() as group:
            tasks = []
            for seen in seen_now:
                namespaces = used_by.get((seen.ref.kind, seen.ref.id), frozenset())
                failures = [written.failed[n] for n in sorted(namespaces & written.failed.keys())]
                news = report(
                    seen,
                    problems[seen.ref],
                    programming(seen, namespaces, written),
                    now,
                    failure=failures[0] if failures else "",
                    first=seen.uid not in self._told,
                )
                if news.changed or news.notes:
                    tasks.append(group.create_task(self._tell(seen, news, now)))
                else:
                    self._told.add(seen.uid)
        return all(task.result() for task in tasks)

    async def _tell(self, seen: Seen, news: Report, now: datetime) -> bool:
        try:
            async with self._slots:
                if news.changed:
                    await apply_conditions(
                        self._cluster, seen.ref, seen.uid, seen.generation, news.conditions
                    )
                    self._metrics.writes.labels("status", "ok").inc()
        except (NotFound, Conflict):
            return True  # gone, or another one of its name: the watch tells
        except ClusterError as error:
            self._metrics.writes.labels("status", "failed").inc()
            logger.warning("status.failed", extra={"object": str(seen.ref), "error": str(error)})
            return False
        self._note(seen, news)
        self._told.add(seen.uid)
        await self._post(news.notes, now)
        return True

    def _note(self, seen: Seen, news: Report) -> None:
        """What we wrote ourselves, ahead of the watch."""
        current = self._inventory.objects.get(seen.ref)
        if current is not None and current.uid == seen.uid:
            self._inventory.objects[seen.ref] = replace(
                current,
                conditions=tuple(condition.document() for condition in news.conditions),
                observed_generation=seen.generation,
            )

    async def _post(self, notes: Iterable[Note], now: datetime) -> None:
        for note in notes:
            async with self._slots:
                await post_once(self._cluster, note, now)
