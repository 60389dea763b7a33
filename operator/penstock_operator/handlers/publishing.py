"""Compiled configurations into the namespaces."""

import asyncio
import logging
from typing import Final

from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.cluster import Cluster, ClusterError
from penstock_operator.cluster.published import carry_out
from penstock_operator.handlers.compilation import Outcome
from penstock_operator.handlers.inventory import Inventory, Seen
from penstock_operator.handlers.reporting import Written
from penstock_operator.metrics import Metrics
from penstock_operator.plan import NamespacePlan, Published, plan_writes

MAX_WRITES_AT_ONCE: Final = 16
logger = logging.getLogger(__name__)


class Publisher:
    """Writes what differs from what the inventory says is there."""

    def __init__(self, cluster: Cluster, inventory: Inventory, metrics: Metrics) -> None:
        self._cluster = cluster
        self._inventory = inventory
        self._metrics = metrics
        self._slots = asyncio.Semaphore(MAX_WRITES_AT_ONCE)

    async def publish(self, outcome: Outcome, *, cluster_wide: bool) -> Written:
        """Never raises for a namespace: a failure is in the result, and does not stop others."""
        keep = outcome.failed | outcome.withheld | self._unparsable_alone()
        leaving = self._leaving(outcome) if cluster_wide else frozenset()
        plans = plan_writes(
            outcome.files,
            outcome.credentials,
            self._inventory.published,
            keep=keep | leaving,
        )
        failed: dict[str, str] = {}
        async with asyncio.TaskGroup() as group:
            for plan in plans:
                group.create_task(self._carry_out(plan, failed))
        return Written(frozenset(keep | leaving), failed)

    def _leaving(self, outcome: Outcome) -> frozenset[str]:
        """Namespaces that are being deleted: nothing can be written there, nor need be."""
        there = {*outcome.configs, *self._inventory.published}
        return frozenset(there - self._inventory.namespaces.keys())

    def _unparsable_alone(self) -> frozenset[str]:
        """Where no policy is left only because none parses: the last configuration stays."""
        policies = [each for each in self._inventory.objects.values() if _is_policy(each)]
        parsed = {seen.ref.namespace for seen in policies if seen.resource is not None}
        return frozenset(seen.ref.namespace for seen in policies) - parsed

    async def _carry_out(self, plan: NamespacePlan, failed: dict[str, str]) -> None:
        try:
            async with self._slots:
                await carry_out(self._cluster, plan)
        except ClusterError as error:
            failed[plan.namespace] = str(error)
            self._metrics.writes.labels("configuration", "failed").inc()
            logger.warning(
                "publish.failed", extra={"namespace": plan.namespace, "error": str(error)}
            )
            return
        self._metrics.writes.labels("configuration", "ok").inc()
        self._note(plan)
        logger.info(
            "publish.done",
            extra={
                "namespace": plan.namespace,
                "config": plan.config.digest if plan.config else None,
                "older": plan.older.digest if plan.older else None,
                "credentials": plan.credentials.digest if plan.credentials else None,
                "removed": plan.remove,
            },
        )

    def _note(self, plan: NamespacePlan) -> None:
        if plan.remove:
            self._inventory.scope_keys.pop(plan.namespace, None)
        former = self._inventory.published.get(plan.namespace, Published())
        now = Published(
            plan.config.digest if plan.config else former.config,
            plan.credentials.digest if plan.credentials else former.credentials,
            plan.older.digest if plan.older else former.older,
            (plan.older_credentials.digest if plan.older_credentials else former.older_credentials),
        )
        self._inventory.note_written(plan.namespace, Published() if plan.remove else now)


def _is_policy(seen: Seen) -> bool:
    return seen.ref.kind == RoutePolicy.kind
