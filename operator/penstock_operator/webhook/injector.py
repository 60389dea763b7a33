"""The injector's parts put together: every replica serves, none leads."""

import logging
import ssl
from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib.metadata import version

from aiohttp import web

from penstock_operator.cluster import Cluster, connect
from penstock_operator.cluster.nodes import knows_native_sidecars
from penstock_operator.injection.template import Mode, Template
from penstock_operator.metrics import Metrics
from penstock_operator.probes import serve_probes
from penstock_operator.settings import Settings
from penstock_operator.webhook.authority import Lives
from penstock_operator.webhook.certificates import Pair, service_hosts
from penstock_operator.webhook.custodian import Custodian
from penstock_operator.webhook.mutation import Mutation
from penstock_operator.webhook.native import watched_mode
from penstock_operator.webhook.review import Judge, judge
from penstock_operator.webhook.server import load_leaf, new_context, review_app, serve_reviews

logger = logging.getLogger(__name__)


def judges_of(
    settings: Settings, mode: Callable[[], Mode], metrics: Metrics
) -> Mapping[str, Judge]:
    """Who judges what is posted to which path."""
    template = Template.of(settings, version("penstock"))
    return {"/validate": judge, "/mutate": Mutation(template, mode, metrics)}


async def run_injector(settings: Settings) -> None:
    """Runs until cancelled."""
    metrics, context = Metrics(), new_context()
    async with connect(settings.kubeconfig) as cluster:
        keeper = _custodian(cluster, settings, context, metrics)
        await keeper.begin()
        asked = watched_mode(settings.native_sidecars, lambda: knows_native_sidecars(cluster))
        async with asked as mode:
            app = review_app(judges_of(settings, mode, metrics), metrics, ready=keeper.missing)
            await _serve(settings, context, app, metrics, keeper)


async def _serve(
    settings: Settings,
    context: ssl.SSLContext,
    app: web.Application,
    metrics: Metrics,
    keeper: Custodian,
) -> None:
    probes = (settings.probe_host, settings.probe_port, metrics)
    async with (
        serve_reviews(settings.webhook_host, settings.webhook_port, context, app) as port,
        serve_probes(*probes, alive=lambda: None, ready=keeper.missing) as probe_port,
    ):
        logger.info("injector.serving", extra={"port": port, "probe_port": probe_port})
        await keeper.keep()


def _custodian(
    cluster: Cluster, settings: Settings, context: ssl.SSLContext, metrics: Metrics
) -> Custodian:
    hosts = (
        *service_hosts(settings.webhook_service, settings.namespace),
        *settings.webhook_hosts,
    )
    lives = Lives(
        timedelta(seconds=settings.certificate_seconds), timedelta(seconds=settings.ca_seconds)
    )
    place = (settings.namespace, settings.webhook_configuration)

    def load(leaf: Pair) -> None:
        load_leaf(context, leaf)

    return Custodian(cluster, place, hosts, lives, load, metrics)
