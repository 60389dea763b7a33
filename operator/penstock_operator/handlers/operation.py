"""kopf and the reconciler in a thread of their own: what the active replica does."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine, Iterator
from typing import Final

import kopf

from penstock_operator.api import GROUP, VERSION
from penstock_operator.cluster import Cluster, connect
from penstock_operator.compile.parse import KINDS
from penstock_operator.handlers.books import Books
from penstock_operator.handlers.comparing import Comparison
from penstock_operator.handlers.fleet import FleetController
from penstock_operator.handlers.health import Health
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.handlers.loop_thread import LoopThread
from penstock_operator.handlers.missing import MissingSidecars
from penstock_operator.handlers.nudging import Nudger
from penstock_operator.handlers.reconciler import Reconciler
from penstock_operator.handlers.registration import register, register_login
from penstock_operator.handlers.sidecars import Sidecars
from penstock_operator.handlers.sources import Notebook, Source, sources
from penstock_operator.handlers.warming import Warming
from penstock_operator.metrics import Metrics
from penstock_operator.settings import Settings

STOP_SECONDS: Final = 5
CLOSE_SECONDS: Final = 3
"""For kopf to close its connections."""
BEAT_SECONDS: Final = 5
STUCK_SECONDS: Final = 120
KINDS_POLL_SECONDS: Final = 2
logger = logging.getLogger(__name__)


class WatchEnded(Exception):
    """The API server refused a watch for good; beginning anew is all that helps."""


class Operation:
    """One life of the control loop. `run` belongs to the caller's loop, the rest to the thread."""

    def __init__(
        self, settings: Settings, metrics: Metrics, may_write: Callable[[], bool] = lambda: True
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._may_write = may_write
        self._reconciler: Reconciler | None = None
        self._beat_at: float | None = None

    @property
    def reconciled_once(self) -> bool:
        return self._reconciler is not None and self._reconciler.done_once

    @property
    def stuck(self) -> bool:
        """Whether the thread's event loop has not turned for long."""
        return self._beat_at is not None and time.monotonic() - self._beat_at > STUCK_SECONDS

    async def run(self) -> None:
        """Runs until cancelled; raises what ends the thread otherwise."""
        thread = LoopThread(self._operate)
        thread.start()
        try:
            await thread.ended
        finally:
            thread.cancel()
            await asyncio.to_thread(thread.join, STOP_SECONDS)

    async def _operate(self) -> None:
        watched = sources(cluster_wide=not self._settings.watch_namespaces)
        inventory = Inventory()
        notebook = Notebook(inventory)
        async with connect(self._settings.kubeconfig, self._may_write) as cluster:
            await _kinds_are_served(cluster)
            reconciler = Reconciler(
                cluster, inventory, self._settings, self._metrics, self._may_write
            )
            self._reconciler = reconciler
            registry = kopf.OperatorRegistry()
            register_login(registry, self._settings.kubeconfig)
            comparison = Comparison(
                cluster, watched, notebook, self._settings.watch_namespaces, reconciler.mark
            )
            register(registry, watched, notebook, reconciler, comparison.relisted)
            async with asyncio.TaskGroup() as group:
                for work in self._delivery(cluster, inventory, reconciler):
                    group.create_task(work)
                for work in self._over_redis(cluster, inventory, reconciler):
                    group.create_task(work)
                group.create_task(self._beat())
                group.create_task(reconciler.secrets.watch())
                group.create_task(reconciler.redis_logins.run())
                group.create_task(reconciler.run())
                group.create_task(comparison.run(reconciler.begin))
                group.create_task(self._watch(registry, watched))

    def _over_redis(
        self, cluster: Cluster, inventory: Inventory, reconciler: Reconciler
    ) -> Iterator[Coroutine[None, None, None]]:
        """What sidecars spend, and what they are to ask."""
        settings, metrics = self._settings, self._metrics
        for kind in (Books, Warming):
            yield kind(
                cluster, inventory, settings, metrics, self._may_write, reconciler.listed
            ).run()

    def _delivery(
        self, cluster: Cluster, inventory: Inventory, reconciler: Reconciler
    ) -> Iterator[Coroutine[None, None, None]]:
        """What follows what is published to the sidecars."""
        settings, metrics, listed = self._settings, self._metrics, reconciler.listed
        if settings.nudge:
            yield Nudger(cluster, inventory, metrics, listed).run()
        yield Sidecars(
            cluster, inventory, settings, metrics, reconciler.compiled, lambda: reconciler.policies
        ).run()
        yield Health(
            cluster, inventory, settings, metrics, reconciler.compiled, lambda: reconciler.given
        ).run()
        yield FleetController(
            cluster, inventory, settings, metrics, reconciler.compiled, lambda: reconciler.given
        ).run()
        yield MissingSidecars(cluster, inventory, metrics, settings.namespace, listed).run()

    async def _watch(self, registry: kopf.OperatorRegistry, watched: tuple[Source, ...]) -> None:
        namespaces = self._settings.watch_namespaces
        tasks = await kopf.spawn_tasks(
            # Its own guess needs the user's name, and the user of an image has none.
            identity=self._settings.identity,  # type: ignore[arg-type]  # a NewType kopf hides
            registry=registry,
            settings=kopf_settings(watched),
            standalone=True,
            clusterwide=not namespaces,
            namespaces=namespaces,
        )
        await until_one_ends(tasks)

    async def _beat(self) -> None:
        while True:
            self._beat_at = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS)


async def until_one_ends(
    tasks: Collection[asyncio.Task[None]], close_seconds: float = CLOSE_SECONDS
) -> None:
    """Raises `WatchEnded` as soon as any of kopf's tasks has ended: from then on it is deaf.

    `kopf.operator` would first wait for all others, and some never end.
    """
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=close_seconds)
    failure = next((t.exception() for t in ended if not t.cancelled()), None)
    msg = f"the watches ended, so that this process is deaf: {failure or 'no reason was given'}"
    raise WatchEnded(msg) from failure


def kopf_settings(watched: tuple[Source, ...]) -> kopf.OperatorSettings:
    """Nothing of kopf's ends up on an object, and no watch stays silent for ever."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True  # the kinds are there before kopf starts
    settings.process.ultimate_exiting_timeout = None  # it would kill the whole process
    settings.queueing.exit_timeout = 0.5
    settings.queueing.idle_timeout = 1
    settings.execution.max_workers = 1
    settings.networking.connect_timeout = 5
    settings.networking.request_timeout = 60
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 310
    settings.persistence.finalizer = f"{GROUP}/finalizer"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=GROUP)
    for source in watched:
        key = (source.resource.group, source.resource.version, source.resource.plural)
        if source.labels:
            settings.watching.label_selectors[key] = source.labels
        if source.fields:
            settings.watching.field_selectors[key] = source.fields
    return settings


async def _kinds_are_served(cluster: Cluster) -> None:
    """Returns when the API server knows our kinds: kopf would not notice later ones."""
    wanted = {kind.plural for kind in KINDS.values()}
    said = False
    while missing := wanted - await cluster.served(GROUP, VERSION):
        if not said:
            logger.warning("kinds.missing", extra={"missing": sorted(missing), "do": "apply crds/"})
        said = True
        await asyncio.sleep(KINDS_POLL_SECONDS)
