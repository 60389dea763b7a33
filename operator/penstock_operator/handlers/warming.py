"""Prompts of ConfigMaps into Redis when they are due, where sidecars claim them.

    agenda: is it time? ─► read the ConfigMap ─► enqueue, once for each time ─► Event, status

Only the active replica does it; that each time is queued once rests on Redis alone, so that it
holds over changes of the leader, too. Between times ConfigMaps are looked at now and then, so that
a condition says beforehand what is in the way.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.cluster import Cluster, ClusterError, Forbidden
from penstock_operator.cluster.config_maps import config_map_values
from penstock_operator.cluster.statuses import apply_warming
from penstock_operator.handlers.inventory import Inventory, Seen
from penstock_operator.handlers.reporting import note_of
from penstock_operator.handlers.writing import Pen
from penstock_operator.ledger.store import LedgerAway, Store, opened_if_named
from penstock_operator.ledger.warming import enqueue
from penstock_operator.metrics import Metrics
from penstock_operator.settings import Settings
from penstock_operator.warming import page
from penstock_operator.warming.agenda import LATE, Agenda, Wanted, agenda_of, wanted_of
from penstock_operator.warming.page import Document, Facts, Fault, Queued
from penstock_operator.warming.prompts import Prompts, read_prompts

LOOK_SECONDS: Final = 5.0
CHECK: Final = timedelta(minutes=5)
"""Between two looks at a ConfigMap that is as it should be."""
RETRY: Final = timedelta(seconds=30)
QUEUE_SECONDS: Final = 10.0
MAX_AT_ONCE: Final = 16
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Kept:
    """What this process knows of one policy's warming."""

    document: Document
    """Warming's part of its status."""
    queued: Queued | None
    agenda: Agenda | None = None
    fault: Fault | None = None
    tried_at: datetime | None = None
    tried_for: datetime | None = None
    """The time that was due then."""
    unwritten_at: datetime | None = None
    """When the API server refused the status last."""

    def may_write(self, now: datetime) -> bool:
        """Not at every look where it is refused: the definitions may be older than we are."""
        return self.unwritten_at is None or now - self.unwritten_at >= RETRY

    def is_time(self, due: datetime | None, now: datetime) -> bool:
        """Whether to look at the ConfigMap again, and to queue what is due."""
        if self.tried_at is None or (due is not None and due != self.tried_for):
            return True
        return now - self.tried_at >= (RETRY if due or self.fault else CHECK)


class Warming:
    """`listed` returns when the inventory knows every policy; `clock` tells the time of day."""

    def __init__(  # noqa: PLR0913  # each is another thing from outside
        self,
        cluster: Cluster,
        inventory: Inventory,
        settings: Settings,
        metrics: Metrics,
        may_write: Callable[[], bool],
        listed: Callable[[], Awaitable[object]],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._cluster = cluster
        self._inventory = inventory
        self._settings = settings
        self._metrics = metrics
        self._may_write = may_write
        self._listed = listed
        self._clock = clock
        self._look_seconds = look_seconds
        self._kept: dict[str, Kept] = {}
        self._first = True
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        self._pen = Pen(cluster, metrics, apply_warming, "warming", "warming.not_told")

    async def run(self) -> None:
        """Never ends."""
        await self._listed()
        async with opened_if_named(self._settings) as store:
            while True:
                await self._look(store)
                self._first = False
                await asyncio.sleep(self._look_seconds)

    async def _look(self, store: Store | None) -> None:
        seen = [s for s in self._inventory.objects.values() if s.ref.kind == RoutePolicy.kind]
        self._kept = {s.uid: self._kept.get(s.uid) or _kept_of(s) for s in seen}
        async with asyncio.TaskGroup() as group:
            for each in filter(_is_looked_at, seen):
                policy = each.resource
                wanted = wanted_of(policy) if isinstance(policy, RoutePolicy) else None
                if wanted is None:
                    self._kept[each.uid].agenda = None  # times that pass now are nobody's
                if wanted or self._kept[each.uid].document:
                    group.create_task(self._turn(store, each, wanted))

    async def _turn(self, store: Store | None, seen: Seen, wanted: Wanted | None) -> None:
        kept, now = self._kept[seen.uid], self._clock()
        try:
            async with self._slots:
                document: Document = {}
                if wanted is not None:
                    agenda = self._agenda(kept, wanted, now)
                    await self._warm(store, seen, agenda, kept, now)
                    ref, next_ = wanted.ref, agenda.next(now)
                    facts = Facts(seen.generation, ref, next_, kept.queued, kept.fault)
                    document = page.status_of(facts, kept.document, now.replace(microsecond=0))
                if document != kept.document and kept.may_write(now):
                    kept.unwritten_at = None if await self._write(seen, document, kept) else now
        except Exception:  # heard of by the log; one bad policy must not end the others' turns
            logger.exception("warming.failed", extra={"object": str(seen.ref)})

    def _agenda(self, kept: Kept, wanted: Wanted, now: datetime) -> Agenda:
        """Anew where something else is wanted. A new leader looks back for what was missed."""
        if kept.agenda is None or kept.agenda.wanted != wanted:
            kept.agenda = agenda_of(wanted, now - LATE if self._first else now)
            kept.tried_at, kept.fault = None, None
        return kept.agenda

    async def _warm(
        self, store: Store | None, seen: Seen, agenda: Agenda, kept: Kept, now: datetime
    ) -> None:
        if agenda.schedule is None:
            kept.fault = "NeverDue", page.NEVER_DUE.format(wrong=agenda.wrong)
            return
        due = agenda.due(now)
        if not kept.is_time(due, now):
            return
        kept.tried_at, kept.tried_for = now, due
        prompts, kept.fault = await self._read(seen, agenda.wanted)
        if store is None:
            kept.fault = "NotQueued", page.NO_REDIS
        elif due is not None and prompts.entries:
            await self._queue(store, seen, prompts, agenda, kept, due)
        if due is not None and kept.fault and kept.agenda == agenda:
            self._metrics.warming_rounds.labels("failed").inc()
            reason, text = kept.fault
            await self._post(seen, "Warning", reason, text, due)

    async def _read(self, seen: Seen, wanted: Wanted) -> tuple[Prompts, Fault | None]:
        ref = wanted.ref
        named = {"name": ref.name, "key": ref.key}
        try:
            values = await config_map_values(self._cluster, seen.ref.namespace, ref.name)
        except Forbidden:
            return Prompts(), ("ConfigMapNotPermitted", page.NOT_PERMITTED.format(**named))
        except ClusterError as error:
            logger.warning("warming.not_read", extra={"object": str(seen.ref), "error": str(error)})
            return Prompts(), ("NotQueued", page.NOT_READ.format(**named))
        if values is None:
            return Prompts(), ("ConfigMapNotFound", page.NOT_FOUND.format(**named))
        if ref.key not in values:
            return Prompts(), ("ConfigMapKeyMissing", page.KEY_MISSING.format(**named))
        prompts = read_prompts(values[ref.key])
        return prompts, page.fault_of(ref, prompts)

    async def _queue(
        self,
        store: Store,
        seen: Seen,
        prompts: Prompts,
        agenda: Agenda,
        kept: Kept,
        due: datetime,
    ) -> None:
        if not self._may_write():
            return
        cluster, entries = self._settings.cluster, prompts.entries
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                done = await enqueue(store, cluster, seen.ref.id, due, entries)
        except (LedgerAway, TimeoutError) as error:
            fields = {"object": str(seen.ref), "error": str(error) or "TimeoutError"}
            logger.warning("warming.not_queued", extra=fields)
            kept.fault = "NotQueued", page.AWAY.format(at=page.text_of(due))
            return
        kept.agenda, kept.queued = agenda.done(due), Queued(due, done.count)
        if done.now:
            self._metrics.warming_rounds.labels("ok").inc()
            self._metrics.warming_prompts.labels(seen.ref.namespace, seen.ref.name).inc(done.count)
        # Also where another replica queued them: it may have ended before it could say so.
        text = page.QUEUED.format(count=done.count, at=page.text_of(due))
        await self._post(seen, "Normal", "PromptsQueued", text, due)

    async def _write(self, seen: Seen, document: Document, kept: Kept) -> bool:
        """Whether it was taken, or the object is no longer the one that was meant."""
        outcome = await self._pen.write(seen, document)
        if outcome == "written":
            kept.document = document
        return outcome != "failed"

    async def _post(
        self, seen: Seen, type_: Literal["Normal", "Warning"], reason: str, text: str, due: datetime
    ) -> None:
        """Once for each time."""
        note = note_of(seen, type_, reason, text, (page.text_of(due),))
        await self._pen.post(note, datetime.now(UTC))


def _kept_of(seen: Seen) -> Kept:
    document = page.own_part(seen.status)
    return Kept(document, page.queued_in(document))


def _is_looked_at(seen: Seen) -> bool:
    """Of a new generation its conditions come first."""
    return seen.observed_generation == seen.generation
