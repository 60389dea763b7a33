"""Every few seconds: who is to be probed, what sidecars met, and what the statuses say of both.

    probe those that are due ─► tell Redis
    read all breakers ─► judge ─► write the statuses that changed, then the Events about it

Only the active replica does it. Without Redis its own probes are all that it knows.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from penstock_config.breaker import Standing
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.model_tier import ModelTier
from penstock_operator.cluster import Cluster
from penstock_operator.cluster.statuses import apply_health
from penstock_operator.compile.references import reference_id
from penstock_operator.handlers.breaker_figures import BreakerFigures
from penstock_operator.handlers.inventory import Inventory, Seen
from penstock_operator.handlers.probing import Probing, fields_of_provider
from penstock_operator.handlers.reporting import note_of
from penstock_operator.handlers.writing import Pen
from penstock_operator.health.in_force import Given, InForce, in_force
from penstock_operator.health.judging import Facts, ModelHealth, candidates_of, models_of
from penstock_operator.health.page import (
    Document,
    News,
    own_part,
    provider_news,
    provider_status,
    tier_news,
    tier_status,
)
from penstock_operator.ledger.breakers import read_standings
from penstock_operator.ledger.store import LedgerAway, Store, opened_if_named
from penstock_operator.metrics import Metrics
from penstock_operator.settings import Settings

READ_SECONDS: Final = 20.0
AWAY_SECONDS: Final = 30.0
"""So long what was read passes for fresh without Redis."""
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Kept:
    """What this process knows of one object's status."""

    document: Document
    """Health's part of it."""


class Health:
    """`compiled` returns when everything was, once; `given` is what sidecars have since."""

    def __init__(  # each is another thing from outside
        self,
        cluster: Cluster,
        inventory: Inventory,
        settings: Settings,
        metrics: Metrics,
        compiled: Callable[[], Awaitable[object]],
        given: Callable[[], Mapping[str, Given]],
    ) -> None:
        self._inventory = inventory
        self._settings = settings
        self._metrics = metrics
        self._compiled = compiled
        self._given = given
        self._figures = BreakerFigures(metrics)
        self._probing = Probing(inventory, settings, metrics, given)
        self._kept: dict[str, Kept] = {}
        self._standings: Mapping[str, Standing] | None = None
        self._read_at = float("-inf")
        self._pen = Pen(cluster, metrics, apply_health, "health", "health.not_told")

    async def run(self) -> None:
        """Never ends."""
        await self._compiled()
        async with opened_if_named(self._settings) as store, asyncio.TaskGroup() as group:
            group.create_task(self._probing.run(store))
            while True:
                await self._guarded(store)
                await asyncio.sleep(self._settings.budget_seconds)

    async def _guarded(self, store: Store | None) -> None:
        try:
            now = in_force(self._given())
            await self._read(store, now)
            await self._tell(now)
        except Exception:  # heard of by the log; one bad round must not end all later ones
            logger.exception("health.failed")

    async def _read(self, store: Store | None, now: InForce) -> None:
        """What was read last stays for a while when Redis is away."""
        if store is None:
            return
        try:
            async with asyncio.timeout(READ_SECONDS):
                found = await read_standings(store, self._settings.cluster, sorted(now.providers))
            known = {id_: fields_of_provider(now.providers[id_]) for id_ in found}
            self._standings = {id_: each.only(known[id_]) for id_, each in found.items()}
            self._read_at = time.monotonic()
            self._figures.show(self._standings)
        except (LedgerAway, TimeoutError) as error:
            if time.monotonic() - self._read_at > AWAY_SECONDS:
                if self._standings is not None:
                    logger.warning("breakers.away", extra={"error": str(error)})
                self._standings = None

    async def _tell(self, now: InForce) -> None:
        objects = [s for s in self._inventory.objects.values() if _is_looked_at(s)]
        self._kept = {s.uid: self._kept.get(s.uid) or Kept(own_part(_status(s))) for s in objects}
        moment = datetime.now(UTC).replace(microsecond=0)
        models: dict[str, tuple[ModelHealth, ...]] = {}
        async with asyncio.TaskGroup() as group:
            for seen in objects:
                if seen.ref.kind == LLMProvider.kind:
                    facts = self._facts(seen, now)
                    models[seen.ref.id] = models_of(facts)
                    former = self._kept[seen.uid].document
                    document = provider_status(facts, seen.generation, former, moment)
                    if facts.pending and document["conditions"][0]["status"] != "False":
                        continue  # what was said by whoever led before stays until we know better
                    self._measure(seen.ref.id, document)
                    self._write_if_new(group, seen, document, provider_news(document, former))
            for seen in objects:
                if isinstance(seen.resource, ModelTier):
                    former = self._kept[seen.uid].document
                    document = _of_tier(seen.resource, now, models)
                    self._write_if_new(group, seen, document, tier_news(document, former, moment))

    def _facts(self, seen: Seen, now: InForce) -> Facts:
        reached = now.providers.get(seen.ref.id)
        resource = seen.resource
        standings = self._standings
        return Facts(
            provider=reached.provider if reached else None,
            suspended=isinstance(resource, LLMProvider) and resource.spec.suspended,
            probed=self._probing.prober.probed(seen.ref.id),
            unprobed=self._probing.prober.unprobed(reached) if reached else None,
            standing=standings.get(seen.ref.id) if standings is not None else None,
        )

    def _write_if_new(
        self, group: asyncio.TaskGroup, seen: Seen, document: Document, news: News | None
    ) -> None:
        if document != self._kept[seen.uid].document:
            group.create_task(self._write(seen, document, news))

    async def _write(self, seen: Seen, document: Document, news: News | None) -> None:
        """The status goes first, then the Event about it."""
        if await self._pen.write(seen, document) != "written":
            return
        self._kept[seen.uid].document = document
        if news is not None:
            await self._pen.post(note_of(seen, *news), datetime.now(UTC))

    def _measure(self, provider: str, document: Document) -> None:
        status = document["conditions"][0]["status"]
        if status == "Unknown":
            with contextlib.suppress(KeyError):
                self._metrics.provider_healthy.remove(provider)
        else:
            self._metrics.provider_healthy.labels(provider).set(status == "True")


def _of_tier(
    tier: ModelTier, now: InForce, models: Mapping[str, tuple[ModelHealth, ...]]
) -> Document:
    namespace = tier.metadata.namespace
    named = [(reference_id(each.provider, namespace), each.model) for each in tier.spec.models]
    return tier_status(candidates_of(named, now.tiers.get(tier.id), now, models), len(named))


def _status(seen: Seen) -> Document:
    return {**seen.status, "conditions": list(seen.conditions)}


def _is_looked_at(seen: Seen) -> bool:
    """Of a new generation its conditions come first."""
    kinds = (LLMProvider.kind, ModelTier.kind)
    return seen.ref.kind in kinds and seen.observed_generation == seen.generation
