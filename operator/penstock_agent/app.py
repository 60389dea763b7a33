"""Puts the agent together: one thread reads, one task asks it, one writes, a port answers.

NVML <- observer (its thread) <- watch -> publisher -> ConfigMap
                                   '-> metrics, probes
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from penstock_agent.driver import Driver
from penstock_agent.inventory import Owner, config_map
from penstock_agent.metrics import Metrics, Reading
from penstock_agent.observer import Observation, Observer
from penstock_agent.publishing import Publisher, Write
from penstock_agent.settings import Settings
from penstock_agent.thread import OneThread
from penstock_agent.watch import Times, Watch, watch_for_good
from penstock_operator.cluster import Cluster, connect
from penstock_operator.cluster.client import CONFIG_MAPS
from penstock_operator.ollama.gpus import NodeGpus
from penstock_operator.probes import serve_probes

FIELD_MANAGER: Final = "penstock-agent"
logger = logging.getLogger(__name__)


async def run_agent(settings: Settings) -> None:
    """Until cancelled. Needs access to an API server, and no NVML."""
    from penstock_agent.nvml.library import Library

    async with connect(settings.kubeconfig) as cluster:
        await serve(settings, Library(), to_cluster(cluster, settings))


async def serve(
    settings: Settings,
    driver: Driver,
    write: Write,
    listening: Callable[[int], None] = lambda _: None,
) -> None:
    """As `run_agent`, with its edges given; `listening` is told the port of the probes."""
    observer = Observer(driver, time.monotonic)
    thread = OneThread[Observation]("nvml")
    times = Times(time.monotonic, lambda: datetime.now(UTC), settings.hang_seconds)
    watch = Watch(settings.node_name, lambda: thread.submit(observer.observe), times)
    metrics = Metrics(lambda: Reading(watch.known, watch.answers, watch.age_seconds()))
    publisher = Publisher(write, random.random, lambda result: metrics.writes.labels(result).inc())
    async with (
        serve_probes(
            settings.probe_host,
            settings.probe_port,
            metrics,
            alive=watch.dead,
            ready=publisher.missing,
        ) as port,
        asyncio.TaskGroup() as tasks,
    ):
        listening(port)
        logger.info("agent.started", extra={"node": settings.node_name, "port": port})
        tasks.create_task(publisher.run())
        tasks.create_task(watch_for_good(watch, settings.period_seconds, publisher.offer))


def to_cluster(cluster: Cluster, settings: Settings) -> Write:
    """Server-side apply of the node's ConfigMap, as a field manager of its own."""
    belongs = settings.pod_name and settings.pod_uid
    owner = Owner(settings.pod_name, settings.pod_uid) if belongs else None

    async def write(found: NodeGpus) -> None:
        document = config_map(found, settings.namespace, owner)
        await cluster.apply(CONFIG_MAPS, document, manager=FIELD_MANAGER)

    return write
