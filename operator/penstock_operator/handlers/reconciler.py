"""The one worker: whatever changed, compile everything and write what differs."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

from penstock_operator.cluster import Cluster, ClusterError
from penstock_operator.compile.problem import Problem
from penstock_operator.handlers.compilation import (
    Outcome,
    Policies,
    compile_isolated,
    given_in_force,
    policies_in_force,
)
from penstock_operator.handlers.gathering import embedder_settings, gather, redis_settings
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.handlers.publishing import Publisher
from penstock_operator.handlers.redis_logins import redis_logins
from penstock_operator.handlers.secret_store import SecretStore
from penstock_operator.handlers.telling import Teller
from penstock_operator.health.in_force import Given
from penstock_operator.metrics import Metrics
from penstock_operator.settings import Settings

BATCH_SECONDS: Final = 0.1
"""Changes that come within this time are compiled together."""
LATER_SECONDS: Final = 5.0
"""Those that can wait. Each pod of a large rollout would else have everything compiled, and its
namespace's files written, once for itself."""
RETRY_SECONDS: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
logger = logging.getLogger(__name__)


class Reconciler:
    """Level-based: what a run looks at is the state, never the change that woke it."""

    def __init__(
        self,
        cluster: Cluster,
        inventory: Inventory,
        settings: Settings,
        metrics: Metrics,
        may_write: Callable[[], bool] = lambda: True,
    ) -> None:
        self._inventory = inventory
        self._settings = settings
        self._metrics = metrics
        self._redis = redis_settings(settings)
        self._embedder = embedder_settings(settings)
        self._publisher = Publisher(cluster, inventory, metrics)
        self._teller = Teller(cluster, inventory, metrics)
        self._complete = asyncio.Event()
        self._dirty = asyncio.Event()
        self._later: asyncio.TimerHandle | None = None
        self._compiled = asyncio.Event()
        self.secrets = SecretStore(cluster, settings.provider_namespaces, self.mark)
        self.redis_logins = redis_logins(settings, inventory, metrics, may_write, self.mark)
        self.done_once = False
        self.policies: Policies = {}
        """As last compiled, by namespace, best first: what sidecars go by."""
        self.given: Mapping[str, Given] = {}
        """The whole of it, with what is secret."""

    def mark(self) -> None:
        """Something changed."""
        self._dirty.set()

    def mark_later(self) -> None:
        """Something changed that can wait for more of its kind."""
        if self._later is None or self._later.when() <= asyncio.get_running_loop().time():
            self._later = asyncio.get_running_loop().call_later(LATER_SECONDS, self.mark)

    def begin(self) -> None:
        """Everything has been listed once; before that, half a snapshot might be compiled."""
        if not self._complete.is_set():
            self._complete.set()
            self.mark()

    async def listed(self) -> None:
        """Returns once everything has been listed."""
        await self._complete.wait()

    async def compiled(self) -> None:
        """Returns once everything has been compiled."""
        await self._compiled.wait()

    async def run(self) -> None:
        """Never ends; what fails is tried again, later each time."""
        await self.listed()
        failures = 0
        while True:
            retry = RETRY_SECONDS[min(failures, len(RETRY_SECONDS)) - 1] if failures else None
            try:
                async with asyncio.timeout(retry):
                    await self._dirty.wait()
            except TimeoutError:
                logger.info("reconcile.again", extra={"failures": failures})
            await asyncio.sleep(BATCH_SECONDS)
            self._dirty.clear()
            failures = 0 if await self._guarded() else failures + 1

    async def _guarded(self) -> bool:
        try:
            return await self._reconcile()
        except Exception:  # heard of by log and metric; one bad run must not end all later ones
            logger.exception("reconcile.failed")
            self._metrics.reconciles.labels("failed").inc()
            return False

    async def _reconcile(self) -> bool:
        """Whether the cluster is as it should be."""
        began = time.monotonic()
        try:
            snapshot = await gather(
                self._inventory, self.secrets, self._settings, self._redis, self._embedder
            )
        except ClusterError as error:
            self._metrics.reconciles.labels("failed").inc()
            logger.warning("reconcile.not_gathered", extra={"error": str(error)})
            return False
        policies = {policy.metadata.namespace for policy in snapshot.policies}
        snapshot = replace(snapshot, redis_logins=self.redis_logins.of(policies))
        outcome = await asyncio.to_thread(compile_isolated, snapshot)
        outcome = await self.redis_logins.settle(outcome)
        cluster_wide = not self._settings.watch_namespaces
        written = await self._publisher.publish(outcome, cluster_wide=cluster_wide)
        self.policies = policies_in_force(outcome, self.policies)
        self.given = given_in_force(outcome, self.given)
        self._compiled.set()
        told = await self._teller.tell(outcome, written)
        self._measure(outcome, began)
        self.done_once = True
        fine = told and not written.failed and not outcome.failed
        self._metrics.reconciles.labels("ok" if fine else "partial").inc()
        if fine:
            self._metrics.last_success.set_to_current_time()
        return told and not written.failed

    def _measure(self, outcome: Outcome, began: float) -> None:
        self._metrics.reconcile_seconds.observe(time.monotonic() - began)
        self._metrics.kept_namespaces.set(len(outcome.failed))
        kinds = Counter(ref.kind for ref in self._inventory.objects)
        self._metrics.objects.clear()
        for kind, count in kinds.items():
            self._metrics.objects.labels(kind).set(count)
        self._metrics.problems.clear()
        for (reason, severity), count in _counted(outcome.problems).items():
            self._metrics.problems.labels(reason, severity).set(count)


def _counted(problems: Iterable[Problem]) -> Counter[tuple[str, str]]:
    return Counter((problem.reason, problem.severity) for problem in problems)
