"""One replica of the operator: stands by, leads, and ends when it may lead no more."""

import asyncio
import logging
from typing import Final

from penstock_operator.cluster import Cluster, ClusterUnreachable, connect
from penstock_operator.cluster.leases import Lease
from penstock_operator.handlers.operation import Operation
from penstock_operator.leader import LEASE_NAME, Elector
from penstock_operator.metrics import Metrics
from penstock_operator.probes import serve_probes
from penstock_operator.settings import Settings

REACH_POLL_SECONDS: Final = 1
UNREACHED: Final = "the API server has not answered yet"
logger = logging.getLogger(__name__)


async def run_replica(settings: Settings) -> None:
    """Runs until cancelled, which gives the Lease back. Raises when the Lease is lost."""
    metrics, reached = Metrics(), asyncio.Event()
    async with connect(settings.kubeconfig) as cluster:
        lease = Lease(cluster, settings.namespace, LEASE_NAME)
        elector = Elector(lease, settings.identity)
        operation = Operation(settings, metrics, elector.holds)
        async with serve_probes(
            settings.probe_host,
            settings.probe_port,
            metrics,
            alive=lambda: "the control loop is stuck" if operation.stuck else None,
            ready=lambda: _not_ready(elector, operation) if reached.is_set() else UNREACHED,
        ):
            await _reach(cluster)
            reached.set()
            await elector.acquire()
            await _lead(elector, operation, metrics)


async def _reach(cluster: Cluster) -> None:
    """Waits for an API server that is away.

    Whoever restarts a process that ends waits longer each time, a kubelet up to five minutes, and
    would be that late when it is back.
    """
    said = False
    while True:
        try:
            major, minor = await cluster.version()
        except ClusterUnreachable as error:
            if not said:
                logger.warning("cluster.away", extra={"error": str(error)})
            said = True
            await asyncio.sleep(REACH_POLL_SECONDS)
        else:
            logger.info("cluster.reached", extra={"version": f"{major}.{minor}"})
            return


async def _lead(elector: Elector, operation: Operation, metrics: Metrics) -> None:
    metrics.leader.set(1)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(elector.hold())
            group.create_task(operation.run())
    finally:
        metrics.leader.set(0)
        await elector.release()


def _not_ready(elector: Elector, operation: Operation) -> str | None:
    """A replica that stands by is ready."""
    waiting = elector.holds() and not operation.reconciled_once
    return "nothing has been compiled yet" if waiting else None
