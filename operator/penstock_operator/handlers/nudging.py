"""Touches pods whose files have changed, so that their kubelets refresh the volumes at once.

something moved ──► 0.1 s ──► up to 256 pods ──► 16 at once ──► and again, until none is left
        ▲                                                             │
        └──────────────── what failed, after a pause ◄────────────────┘
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from penstock_operator.cluster import Cluster, ClusterError, Conflict, NotFound
from penstock_operator.cluster.pods import touch
from penstock_operator.delivery.pods import SeenPod
from penstock_operator.delivery.touch import (
    RETRY_SECONDS,
    Patience,
    in_turn,
    mark_of,
    untold,
)
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.metrics import Metrics

BATCH_SECONDS: Final = 0.1
"""The two files of a namespace are written one after the other: pods hear of both at once."""
MAX_WRITES_AT_ONCE: Final = 16
ROUND: Final = 256
"""Pods in a row before all are looked at again: a newer change need not wait for an older one."""
logger = logging.getLogger(__name__)


class Nudger:
    """Level-based, so that it does not matter when a pod came, or who wrote the files.

    `listed` returns when the inventory knows every pod.
    """

    def __init__(
        self,
        cluster: Cluster,
        inventory: Inventory,
        metrics: Metrics,
        listed: Callable[[], Awaitable[object]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster = cluster
        self._inventory = inventory
        self._metrics = metrics
        self._listed = listed
        self._patience = Patience(clock)
        self._moved = asyncio.Event()

    async def run(self) -> None:
        """Never ends. Sleeps without a call for as long as nothing moves."""
        await self._listed()
        self._inventory.listeners.append(self._moved.set)
        self._moved.set()
        while True:
            await self._until_moved()
            await asyncio.sleep(BATCH_SECONDS)
            self._moved.clear()
            try:
                await self._touch_all()
            except Exception:  # heard of by the log; one bad round must not end all later ones
                logger.exception("touch.failed")
                await asyncio.sleep(RETRY_SECONDS[-1])
                self._moved.set()

    async def _until_moved(self) -> None:
        try:
            async with asyncio.timeout(self._patience.seconds(self._untold())):
                await self._moved.wait()
        except TimeoutError:
            return

    def _untold(self) -> Iterator[SeenPod]:
        return untold(self._inventory.pods.values(), self._inventory.published)

    async def _touch_all(self) -> None:
        began, results, errors = time.monotonic(), Counter[str](), set[str]()
        while batch := in_turn(filter(self._patience.is_due, self._untold()), ROUND):
            self._metrics.untold_pods.set(sum(1 for _ in self._untold()))
            await self._touch_some(batch, results, errors)
        self._metrics.untold_pods.set(sum(1 for _ in self._untold()))
        for result, count in results.items():
            self._metrics.writes.labels("touch", result).inc(count)
        if results:
            seconds = round(time.monotonic() - began, 3)
            logger.info("touch.done", extra={"seconds": seconds, **results})
        if errors:
            logger.warning("touch.failed", extra={"pods": results["failed"], "error": min(errors)})

    async def _touch_some(
        self, pods: list[SeenPod], results: Counter[str], errors: set[str]
    ) -> None:
        """Workers share one list, so that thousands of pods need no thousands of tasks."""
        waiting = iter(pods)

        async def work() -> None:
            for pod in waiting:
                results[await self._touch(pod, errors)] += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(min(MAX_WRITES_AT_ONCE, len(pods))):
                group.create_task(work())

    async def _touch(self, pod: SeenPod, errors: set[str]) -> str:
        """What became of it. The mark is that of now: it may have changed since the pod's turn."""
        mark = mark_of(self._inventory.published.get(pod.namespace))
        if mark is None:
            return "needless"
        try:
            version = await touch(self._cluster, pod, mark)
        except (NotFound, Conflict):
            self._patience.failed(pod)  # gone, or another one of its name: the watch tells
            return "gone"
        except ClusterError as error:
            self._patience.failed(pod)
            errors.add(str(error))
            return "failed"
        self._patience.succeeded(pod)
        self._inventory.note_touched(pod, mark, version)
        return "ok"
