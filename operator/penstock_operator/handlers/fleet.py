"""Models on the cluster's own GPUs, every two seconds: from what is wanted to what is there.

    gather   providers, demand, hardware, our Deployments and pods, what their loaders say
    decide   how many replicas ─► who goes where (pure, in a thread)
    act      apply what differs, delete what was replaced; tell sidecars, statuses and Events

Only the active replica does it. Without Redis nobody is scaled; placement and statuses go on.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

from penstock_config.fleet import FLEET_SECONDS
from penstock_operator.api.model_tier import ModelTier
from penstock_operator.cluster import Cluster, ClusterError
from penstock_operator.cluster.workloads import FIRST_WITH_BUDGETS_V1, FIRST_WITH_PROBE_GRACE
from penstock_operator.fleet.deciding import Case, Decided, decide
from penstock_operator.fleet.facts import is_starting
from penstock_operator.fleet.observed import Told
from penstock_operator.fleet.priorities import priorities
from penstock_operator.fleet.replicas import with_load
from penstock_operator.fleet.wanting import Moment, Wanting
from penstock_operator.handlers.fleet_acting import Acting
from penstock_operator.handlers.fleet_hardware import Hardware, HardwareLooks
from penstock_operator.handlers.fleet_progress import Loaders
from penstock_operator.handlers.fleet_sight import Run, Sight, runs_of, sight_of
from penstock_operator.handlers.fleet_telling import Telling
from penstock_operator.handlers.fleet_turn import ProviderTurns, Round, show
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.health.in_force import Given, in_force, readers
from penstock_operator.ledger.fleet import Asked, read_demand, write_fleets
from penstock_operator.ledger.store import LedgerAway, Store, opened_if_named
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
        self._priorities: Mapping[str, int] = {}

    async def run(self) -> None:
        """Never ends."""
        await self._compiled()
        installation = await self._installation()
        async with opened_if_named(self._settings) as store, self._loaders:
            while True:
                began = self._clock()
                await self._guarded(store, installation)
                await asyncio.sleep(max(0.0, self._round_seconds - (self._clock() - began)))

    async def _installation(self) -> Installation:
        while True:
            try:
                server = await self._cluster.version()
            except ClusterError as error:
                logger.warning("fleet.failed", extra={"error": str(error)})
                await asyncio.sleep(self._round_seconds)
            else:
                return installation_of(
                    self._settings,
                    version("penstock"),
                    old_budgets=server < FIRST_WITH_BUDGETS_V1,
                    probes_have_grace=server >= FIRST_WITH_PROBE_GRACE,
                )

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

    async def _round(self, store: Store | None, installation: Installation) -> None:
        runs = runs_of(self._inventory)
        granted = [run for run in runs if self._is_granted(run)]
        now = Moment(self._clock(), self._wall_clock())
        sight = await sight_of(self._cluster, granted)
        told = await self._told(sight)
        self._priorities = self._priorities_now()
        managed = [run for run in granted if run.is_managed]
        hardware = await self._seen_hardware(managed, sight)
        asked = await self._asked(store, managed)
        cases = [self._case(run, sight, told, asked, now, hardware.dead) for run in managed]
        decided = await self._decide(cases, hardware.nodes)
        round_ = Round(
            now,
            installation,
            sight,
            told,
            hardware,
            decided,
            {case.provider.id: case.replicas for case in cases},
        )
        await self._write_fleets(store, round_, asked)
        acts = ProviderTurns(self._acting, self._telling, self._wanting, round_)
        await self._each(runs, lambda run: self._turn(acts, run))
        show(self._metrics, round_)
        self._forget(runs)

    async def _each(self, runs: Sequence[Run], turn: Callable[[Run], Awaitable[None]]) -> None:
        async def bounded(run: Run) -> None:
            async with self._slots:
                await turn(run)

        async with asyncio.TaskGroup() as group:
            for run in runs:
                group.create_task(bounded(run))

    async def _turn(self, acts: ProviderTurns, run: Run) -> None:
        try:
            await acts.turn(run, granted=self._is_granted(run))
        except ClusterError as error:
            self._away = True
            fields = {"object": str(run.seen.ref), "error": str(error)}
            logger.warning("fleet.provider_failed", extra=fields)
        except Exception:  # heard of by the log; one bad provider must not end the others' turns
            self._away = True
            logger.exception("fleet.provider_failed", extra={"object": str(run.seen.ref)})

    def _is_granted(self, run: Run) -> bool:
        return run.provider.metadata.namespace in self._settings.ollama_namespaces

    async def _told(self, sight: Sight) -> dict[str, tuple[Told, ...]]:
        pods = [pod for those in sight.pods.values() for pod in those]
        found: dict[str, tuple[Told, ...]] = dict.fromkeys(sight.pods, ())
        for told in await self._loaders.ask(pods):
            found[told.pod.provider] = (*found[told.pod.provider], told)
        return found

    async def _seen_hardware(self, managed: Sequence[Run], sight: Sight) -> Hardware:
        """Nobody looks at nodes while nobody asks for GPUs."""
        ollamas = (run.provider.spec.ollama for run in managed)
        if not any(ollama is not None and ollama.gpu is not None for ollama in ollamas):
            return Hardware()
        return await self._hardware.look(sight.hosts)

    async def _asked(self, store: Store | None, managed: Sequence[Run]) -> Mapping[str, Asked]:
        """Of whom it is known."""
        if store is None:
            return {}
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                return await read_demand(store, self._settings.cluster, [r.id for r in managed])
        except (LedgerAway, TimeoutError) as error:
            self._note_away(error)
            return {}

    async def _write_fleets(
        self, store: Store | None, round_: Round, asked: Mapping[str, Asked]
    ) -> None:
        if store is None:
            return
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                found = round_.fleets(await store.now()).items()
                fleets = {
                    id_: with_load(fleet, asked[id_].at_replicas) if id_ in asked else fleet
                    for id_, fleet in found
                }
                await write_fleets(store, self._settings.cluster, fleets, readers(self._given()))
        except (LedgerAway, TimeoutError) as error:
            self._note_away(error)

    def _note_away(self, error: Exception) -> None:
        self._away = True
        logger.warning("fleet.redis_away", extra={"error": str(error) or type(error).__name__})

    def _case(
        self,
        run: Run,
        sight: Sight,
        told: Mapping[str, tuple[Told, ...]],
        asked: Mapping[str, Asked],
        now: Moment,
        dead: frozenset[str],
    ) -> Case:
        there = {name: w.group for name, w in sight.workloads[run.id].items()}
        wanting = self._wanting.setdefault(run.seen.uid, Wanting())
        assert run.provider.spec.ollama is not None  # noqa: S101  # it is managed
        wanting.begin(run.provider.spec.ollama, self._telling.former(run.seen), there, now)
        demand = asked.get(run.id)
        replicas = wanting.ask(
            run.provider,
            demand.in_flight if demand else None,
            demand.waiting if demand else {},
            now,
            starting=is_starting((g for g in there.values() if g.node not in dead), told[run.id]),
        )
        return Case(
            run.provider, replicas, self._priorities.get(run.id, 0), wanting.rounded(), there
        )

    def _priorities_now(self) -> Mapping[str, int]:
        objects = (seen.resource for seen in self._inventory.objects.values())
        said = {tier.id: tier.spec.priority for tier in objects if isinstance(tier, ModelTier)}
        return priorities(in_force(self._given()).tiers, said)

    async def _decide(
        self, cases: Sequence[Case], nodes: tuple[Node, ...] | None
    ) -> dict[str, Decided]:
        """Nothing is decided anew while nothing has changed."""
        question = (tuple(cases), nodes)
        if self._decided[0] != question:
            self._decided = question, await asyncio.to_thread(decide, cases, nodes)
        return self._decided[1]

    def _forget(self, runs: Sequence[Run]) -> None:
        uids = {run.seen.uid for run in runs}
        self._wanting = {uid: kept for uid, kept in self._wanting.items() if uid in uids}
        self._telling.forget(uids)
        self._acting.forget(run.id for run in runs)
