"""The injector's parts put together: every replica serves, none leads."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

from penstock_operator.cluster import Cluster, ClusterError, connect
from penstock_operator.cluster.webhooks import shared_ca, trust_ca
from penstock_operator.cluster.nodes import knows_native_sidecars
from penstock_operator.injection.template import Mode, Template
from penstock_operator.metrics import Metrics
from penstock_operator.probes import serve_probes
from penstock_operator.settings import Settings
from penstock_operator.webhook.certificates import Pair, make_ca, make_leaf, service_hosts
from penstock_operator.webhook.mutation import Mutation
from penstock_operator.webhook.native import watched_mode
from penstock_operator.webhook.review import Judge, judge
from penstock_operator.webhook.server import load_leaf, review_app, serve_reviews, server_context

CARE_SECONDS: Final = 60
"""How often the webhook configuration is looked at: it may come later, or be written anew."""
logger = logging.getLogger(__name__)


def judges_of(
    settings: Settings, mode: Callable[[], Mode], metrics: Metrics
) -> Mapping[str, Judge]:
    """Who judges what is posted to which path."""
    template = Template.of(settings, version("penstock"))
    return {"/validate": judge, "/mutate": Mutation(template, mode, metrics)}


async def run_injector(settings: Settings) -> None:
    """Runs until cancelled."""
    metrics = Metrics()
    async with (
        connect(settings.kubeconfig) as cluster,
        watched_mode(settings.native_sidecars, lambda: knows_native_sidecars(cluster)) as mode,
    ):
        ca = await _ca(cluster, settings.namespace)
        hosts = (
            *service_hosts(settings.webhook_service, settings.namespace),
            *settings.webhook_hosts,
        )
        leaf = make_leaf(ca, hosts, datetime.now(UTC))
        context = server_context(leaf)
        address = (settings.webhook_host, settings.webhook_port)
        app = review_app(judges_of(settings, mode, metrics), metrics)
        async with (
            serve_reviews(*address, context, app) as port,
            serve_probes(
                settings.probe_host,
                settings.probe_port,
                metrics,
                alive=lambda: None,
                ready=lambda: None,
            ),
        ):
            logger.info("injector.serving", extra={"port": port})
            while True:
                await _trust(cluster, settings.webhook_configuration, ca)
                await asyncio.sleep(CARE_SECONDS)
                former, ca = ca, await _ca_now(cluster, settings.namespace, ca)
                if ca != former or leaf.is_old(datetime.now(UTC)):
                    leaf = make_leaf(ca, hosts, datetime.now(UTC))
                    load_leaf(context, leaf)


async def _ca(cluster: Cluster, namespace: str, former: Pair | None = None) -> Pair:
    """The one that all replicas share; where it is gone, `former` again."""
    now = datetime.now(UTC)
    made = former if former and former.signs(now) else make_ca(now)
    found = await shared_ca(
        cluster, namespace, (made.certificate, made.key), lambda pair: Pair(*pair).signs(now)
    )
    return Pair(*found)


async def _ca_now(cluster: Cluster, namespace: str, former: Pair) -> Pair:
    """Two replicas with two CAs would each be trusted for a minute."""
    try:
        return await _ca(cluster, namespace, former)
    except ClusterError as error:
        logger.warning("injector.ca_not_read", extra={"error": str(error)})
        return former


async def _trust(cluster: Cluster, configuration: str, ca: Pair) -> None:
    try:
        if not await trust_ca(cluster, configuration, ca.certificate):
            logger.info("injector.not_configured", extra={"configuration": configuration})
    except ClusterError as error:
        logger.warning("injector.not_trusted", extra={"error": str(error)})
