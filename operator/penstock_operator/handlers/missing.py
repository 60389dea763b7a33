"""Finds pods that were to have a sidecar and have none, and says so: an Event, and a metric.

Nothing is deleted. Whoever deletes pods because the injector was away turns one outage into two,
and needs the right to delete any pod; a Deployment's owner knows best when to restart it.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from penstock_operator.api.names import INJECT_LABEL
from penstock_operator.cluster import Cluster, ClusterError, Forbidden, NotFound
from penstock_operator.cluster.events import Note, post
from penstock_operator.cluster.pods import without_label
from penstock_operator.delivery.missed import (
    MESSAGE,
    REASON,
    enabled_namespaces,
    missed_among,
)
from penstock_operator.delivery.owner import Owner
from penstock_operator.delivery.pods import SeenPod
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.injection.template import protected_namespaces
from penstock_operator.metrics import Metrics

LOOK_SECONDS: Final = 20.0
logger = logging.getLogger(__name__)


class MissingSidecars:
    """Pods with the label come from the watch; those of enabled namespaces are listed, without
    those that have it: where all is well, such a list is empty.

    `own` is the operator's namespace. `listed` returns when the inventory knows everything.
    """

    def __init__(
        self,
        cluster: Cluster,
        inventory: Inventory,
        metrics: Metrics,
        own: str,
        listed: Callable[[], Awaitable[object]],
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._cluster = cluster
        self._inventory = inventory
        self._metrics = metrics
        self._own = own
        self._listed = listed
        self._look_seconds = look_seconds
        self._told: set[str] = set()
        """UIDs of owners whose Event was posted."""

    async def run(self) -> None:
        """Never ends."""
        await self._listed()
        while True:
            try:
                await self._look()
            except ClusterError as error:
                logger.warning("missing.not_looked", extra={"error": str(error)})
            except Exception:  # heard of by the log; one bad look must not end all later ones
                logger.exception("missing.failed")
            await asyncio.sleep(self._look_seconds)

    async def _look(self) -> None:
        found = await self._missed()
        self._metrics.pods_without_sidecar.clear()
        for namespace, count in Counter(pod.namespace for pod in found).items():
            self._metrics.pods_without_sidecar.labels(namespace).set(count)
        self._told &= {pod.missed_by.uid for pod in found if pod.missed_by}
        for pod in found:
            if pod.missed_by and pod.missed_by.uid not in self._told:
                await self._tell(pod, pod.missed_by)

    async def _missed(self) -> list[SeenPod]:
        pods = self._inventory.pods.values()
        exempt = protected_namespaces(self._own)
        found = [p for p in pods if p.missed_by and not p.leaving and p.namespace not in exempt]
        for namespace in enabled_namespaces(self._inventory.namespaces, self._own):
            bodies = await without_label(self._cluster, namespace, INJECT_LABEL)
            found += missed_among(bodies)
        return found

    async def _tell(self, pod: SeenPod, owner: Owner) -> None:
        """Once for each owner: a Deployment's pods are missed all together."""
        note = Note(
            owner.kind,
            owner.namespace,
            owner.name,
            owner.uid,
            "Warning",
            REASON,
            MESSAGE.format(pod.name),
            (),
            owner.api_version,
        )
        self._told.add(owner.uid)
        try:
            await post(self._cluster, note, datetime.now(UTC))
        except (Forbidden, NotFound) as error:
            logger.debug("event.failed", extra={"error": str(error)})
        except ClusterError as error:
            self._told.discard(owner.uid)
            logger.warning("event.failed", extra={"error": str(error)})
