"""Models on the cluster's own GPUs, every two seconds: from what is wanted to what is there.

    gather   providers, demand, hardware, our Deployments and pods, what their loaders say
    decide   how many replicas ─► who goes where (pure, in a thread)
    act      apply what differs, delete what was replaced; tell sidecars, statuses and Events

Only the active replica does it. Without Redis nobody is scaled; placement and statuses go on.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

from penstock_config.fleet import FLEET_SECONDS, Fleet
from penstock_operator.api.model_tier import ModelTier
from penstock_operator.cluster import Cluster, ClusterError
from penstock_operator.cluster.workloads import FIRST_WITH_BUDGETS_V1
from penstock_operator.fleet.deciding import Case, Decided, decide
from penstock_operator.fleet.observed import Told
from penstock_operator.fleet.priorities import priorities
from penstock_operator.fleet.replicas import fleet_of
from penstock_operator.fleet.wanting import Moment, Wanting
from penstock_operator.handlers.fleet_acting import Acting
from penstock_operator.handlers.fleet_hardware import Hardware, HardwareLooks
from penstock_operator.handlers.fleet_progress import Loaders
from penstock_operator.handlers.fleet_round import Round
from penstock_operator.handlers.fleet_sight import Run, Sight, runs_of, sight_of
from penstock_operator.handlers.fleet_telling import Telling
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.health.in_force import Given, in_force
from penstock_operator.ledger.fleet import Asked, read_demand, write_fleets
from penstock_operator.ledger.store import LedgerAway, Store, opened
from penstock_operator.metrics import Metrics
from penstock_operator.ollama.names import LOADER_PORT
from penstock_operator.ollama.planner.types import Node
from penstock_operator.ollama.workload.installation import Installation, installation_of
from penstock_operator.settings import Settings

REDIS_SECONDS: Final = 3.0
MAX_AT_ONCE: Final = 16
logger = logging.getLogger(__name__)


class FleetController:
    """`compiled` returns when everything was, once; `given` is what sidecars have since."""

    def __init__(  # noqa: PLR0913  # each is another thing from outside
        self,
        cluster: Cluster,
        inventory: Inventory,
        settings: Settings,
        metrics: Metrics,
        compiled: Callable[[], Awaitable[object]],
        given: Callable[[], Mapping[str, Given]],
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        loader_port: int = LOADER_PORT,
        round_seconds: float = FLEET_SECONDS,
    ) -> None:
        self._cluster = cluster
        self._inventory = inventory
        self._settings = settings
        self._metrics = metrics
        self._compiled = compiled
        self._given = given
        self._clock = clock
        self._wall_clock = wall_clock
        self._round_seconds = round_seconds
        self._hardware = HardwareLooks(cluster, settings.namespace, clock, wall_clock)
        self._loaders = Loaders(clock, loader_port)
        self._acting = Acting(cluster, metrics, clock)
        self._telling = Telling(cluster, metrics, clock, wall_clock)
        self._wanting: dict[str, Wanting] = {}
        self._decided: tuple[object, dict[str, Decided]] = None, {}
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        self._away = False

    async def run(self) -> None:
        """Never ends."""
        if not self._settings.ollama_namespaces:
            return
        await self._compiled()
        installation = await self._installation()
        async with self._store() as store, self._loaders:
            while True:
                began = self._clock()
                await self._guarded(store, installation)
                await asyncio.sleep(max(0.0, self._round_seconds - (self._clock() - began)))

    def _store(self) -> AbstractAsyncContextManager[Store | None]:
        if self._settings.redis_url is None:
            return contextlib.nullcontext(None)
        return opened(self._settings)

    async def _installation(self) -> Installation:
        while True:
            try:
                old = await self._cluster.version() < FIRST_WITH_BUDGETS_V1
            except ClusterError as error:
                logger.warning("fleet.failed", extra={"error": str(error)})
                await asyncio.sleep(self._round_seconds)
            else:
                return installation_of(self._settings, version("penstock"), old_budgets=old)

    async def _guarded(self, store: Store | None, installation: Installation) -> None:
        began, self._away = self._clock(), False
        try:
            await self._round(store, installation)
            self._metrics.fleet_rounds.labels("partial" if self._away else "ok").inc()
        except ClusterError as error:
            self._metrics.fleet_rounds.labels("failed").inc()
            logger.warning("fleet.failed", extra={"error": str(error)})
        except Exception:  # heard of by the log; one bad round must not end all later ones
            self._metrics.fleet_rounds.labels("failed").inc()
            logger.exception("fleet.failed")
        self._metrics.fleet_seconds.observe(self._clock() - began)
