"""`POST /validate` over TLS, `/healthz` and `/readyz`: every replica serves, none leads."""

import asyncio
import json
import logging
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aiohttp import web

from penstock_operator.cluster import Cluster, ClusterError, connect
from penstock_operator.cluster.webhooks import shared_ca, trust_ca
from penstock_operator.metrics import Metrics
from penstock_operator.probes import serve_probes
from penstock_operator.settings import Settings
from penstock_operator.webhook.certificates import Pair, make_ca, make_leaf, service_hosts
from penstock_operator.webhook.review import judge

MAX_BODY_BYTES: Final = 10 * 1024 * 1024
"""An update carries the object twice, and etcd takes 1.5 MiB of JSON by default."""
READ_SECONDS: Final = 10
"""The longest that an API server would wait is 30."""
CARE_SECONDS: Final = 60
"""How often the webhook configuration is looked at: it may come later, or be written anew."""
logger = logging.getLogger(__name__)


async def run_webhook(settings: Settings) -> None:
    """Runs until cancelled."""
    metrics = Metrics()
    async with connect(settings.kubeconfig) as cluster:
        ca = await _ca(cluster, settings.namespace)
        hosts = (
            *service_hosts(settings.webhook_service, settings.namespace),
            *settings.webhook_hosts,
        )
        leaf = make_leaf(ca, hosts, datetime.now(UTC))
        context = server_context(leaf)
        address = (settings.webhook_host, settings.webhook_port)
        async with (
            serve_reviews(*address, context, metrics) as port,
            serve_probes(
                settings.probe_host,
                settings.probe_port,
                metrics,
                alive=lambda: None,
                ready=lambda: None,
            ),
        ):
            logger.info("webhook.serving", extra={"port": port})
            while True:
                await _trust(cluster, settings.webhook_configuration, ca)
                await asyncio.sleep(CARE_SECONDS)
                former, ca = ca, await _ca_now(cluster, settings.namespace, ca)
                if ca != former or leaf.is_old(datetime.now(UTC)):
                    leaf = make_leaf(ca, hosts, datetime.now(UTC))
                    load_leaf(context, leaf)


@asynccontextmanager
async def serve_reviews(
    host: str, port: int, context: ssl.SSLContext, metrics: Metrics
) -> AsyncIterator[int]:
    """Serves until the block ends; yields the port."""
    runner = web.AppRunner(review_app(metrics), access_log=None, shutdown_timeout=5)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=context).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def review_app(metrics: Metrics, read_seconds: float = READ_SECONDS) -> web.Application:
    """The routes, without TLS."""

    async def validate(request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(read_seconds):
                body = await request.read()
            asked = json.loads(body)["request"]
            uid = str(asked["uid"])
        except TimeoutError:
            return web.Response(status=408, text=f"the body took over {read_seconds} seconds")
        except (ValueError, KeyError, TypeError, RecursionError):
            return web.Response(status=400, text="expected an AdmissionReview with a request")
        verdict = judge(asked)
        metrics.admissions.labels(verdict.result).inc()
        return web.json_response(verdict.answer(uid))

    async def fine(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_post("/validate", validate)
    app.router.add_get("/healthz", fine)
    app.router.add_get("/readyz", fine)
    return app


def server_context(leaf: Pair) -> ssl.SSLContext:
    """TLS 1.2 or newer with the leaf."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_leaf(context, leaf)
    return context


def load_leaf(context: ssl.SSLContext, leaf: Pair) -> None:
    """New connections get this leaf. Python reads keys from files alone."""
    with tempfile.TemporaryDirectory(prefix="penstock-") as directory:
        path = Path(directory) / "leaf.pem"
        path.touch(mode=0o600)
        path.write_bytes(leaf.certificate + leaf.key)
        context.load_cert_chain(path)


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
        logger.warning("webhook.ca_not_read", extra={"error": str(error)})
        return former


async def _trust(cluster: Cluster, configuration: str, ca: Pair) -> None:
    try:
        if not await trust_ca(cluster, configuration, ca.certificate):
            logger.info("webhook.not_configured", extra={"configuration": configuration})
    except ClusterError as error:
        logger.warning("webhook.not_trusted", extra={"error": str(error)})
