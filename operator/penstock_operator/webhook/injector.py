"""The injector's parts put together: every replica serves, none leads."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.metadata import version
from typing import Protocol

from aiohttp import web

from penstock_operator.cluster import Cluster, connect
from penstock_operator.cluster.nodes import knows_native_sidecars
from penstock_operator.injection.template import Mode, Template
from penstock_operator.metrics import Metrics
from penstock_operator.probes import Answer, serve_probes
from penstock_operator.settings import Settings
from penstock_operator.webhook.announcer import Announcer, posting_to
from penstock_operator.webhook.authority import Lives
from penstock_operator.webhook.certificates import Pair, service_hosts
from penstock_operator.webhook.custodian import Custodian
from penstock_operator.webhook.guard import Guard
from penstock_operator.webhook.mounted import MountedCertificate
from penstock_operator.webhook.mutation import Mutation
from penstock_operator.webhook.native import watched_mode
from penstock_operator.webhook.review import Judge, judge
from penstock_operator.webhook.server import load_leaf, new_context, review_app, serve_reviews

logger = logging.getLogger(__name__)


class Keeper(Protocol):
    """Sees to it that there is a certificate, from before the first connection to the last."""

    async def begin(self) -> None: ...

    async def keep(self) -> None: ...

    def missing(self) -> str | None: ...


def judges_of(
    settings: Settings, mode: Callable[[], Mode], metrics: Metrics
) -> Mapping[str, Judge]:
    """Who judges what is posted to which path."""
    template = Template.of(settings, version("penstock"))
    return {
        "/validate": judge,
        "/mutate": Mutation(template, mode, metrics),
        "/pods": Guard(settings.operator_account),
    }


async def run_injector(settings: Settings) -> None:
    """Runs until cancelled."""
    metrics, context = Metrics(), new_context()
    async with connect(settings.kubeconfig) as cluster:
        keeper = _keeper(cluster, settings, context, metrics)
        await keeper.begin()
        announcer = Announcer(posting_to(cluster), metrics)
        asked = watched_mode(settings.native_sidecars, lambda: knows_native_sidecars(cluster))
        async with asked as mode:
            app = review_app(
                judges_of(settings, mode, metrics),
                metrics,
                tell=announcer.tell,
                ready=keeper.missing,
            )
            serving = _serving(settings, context, app, metrics, keeper.missing)
            async with serving, asyncio.TaskGroup() as tasks:
                tasks.create_task(announcer.run())
                tasks.create_task(keeper.keep())


@asynccontextmanager
async def _serving(
    settings: Settings,
    context: ssl.SSLContext,
    app: web.Application,
    metrics: Metrics,
    ready: Answer,
) -> AsyncIterator[None]:
    probes = (settings.probe_host, settings.probe_port, metrics)
    async with (
        serve_reviews(settings.webhook_host, settings.webhook_port, context, app) as port,
        serve_probes(*probes, alive=lambda: None, ready=ready) as probe_port,
    ):
        logger.info("injector.serving", extra={"port": port, "probe_port": probe_port})
        yield


def _keeper(
    cluster: Cluster, settings: Settings, context: ssl.SSLContext, metrics: Metrics
) -> Keeper:
    def load(leaf: Pair) -> None:
        load_leaf(context, leaf)

    if settings.tls_dir is not None:
        return MountedCertificate(settings.tls_dir, load, metrics)
    service = service_hosts(settings.webhook_service, settings.namespace)
    lives = Lives(
        timedelta(seconds=settings.certificate_seconds), timedelta(seconds=settings.ca_seconds)
    )
    place = (settings.namespace, settings.webhook_configuration)
    return Custodian(cluster, place, (*service, *settings.webhook_hosts), lives, load, metrics)
