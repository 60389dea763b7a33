"""Admission reviews over TLS: one judge behind each path, and whatever fails is let through."""

import asyncio
import json
import logging
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from penstock_operator.metrics import Metrics
from penstock_operator.probes import Answer, probe
from penstock_operator.webhook.announcement import Announcement
from penstock_operator.webhook.certificates import Pair
from penstock_operator.webhook.review import Judge, Verdict

MAX_BODY_BYTES: Final = 10 * 1024 * 1024
"""An update carries the object twice, and etcd takes 1.5 MiB of JSON by default."""
READ_SECONDS: Final = 10
"""The longest that an API server would wait is 30."""
KEEPALIVE_SECONDS: Final = 120
"""More than the 90 for which an API server keeps an idle connection: were we the first to close,
a review that is on its way at that moment would be lost (Go does not send a POST again)."""
FAULT: Final = "Penstock could not look at this object because of a fault of its own; see its log."
Tell = Callable[[Announcement], None]
logger = logging.getLogger(__name__)


@asynccontextmanager
async def serve_reviews(
    host: str, port: int, context: ssl.SSLContext, app: web.Application
) -> AsyncIterator[int]:
    """Serves until the block ends; yields the port."""
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=5, keepalive_timeout=KEEPALIVE_SECONDS
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=context).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def review_app(
    judges: Mapping[str, Judge],
    metrics: Metrics,
    *,
    tell: Tell = lambda _: None,
    ready: Answer = lambda: None,
    read_seconds: float = READ_SECONDS,
) -> web.Application:
    """The routes, without TLS. `judges`: by path, as `/validate`; `tell` must not wait."""
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    for path, judge in judges.items():
        app.router.add_post(path, _reviewing(path, judge, metrics, tell, read_seconds))
    app.router.add_get("/healthz", probe(lambda: None))
    app.router.add_get("/readyz", probe(ready))
    return app


def _reviewing(
    path: str, judge: Judge, metrics: Metrics, tell: Tell, read_seconds: float
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def respond(request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(read_seconds):
                body = await request.read()
            asked = json.loads(body)["request"]
            uid = str(asked["uid"])
        except TimeoutError:
            return web.Response(status=408, text=f"the body took over {read_seconds} seconds")
        except (ValueError, KeyError, TypeError, RecursionError):
            return web.Response(status=400, text="expected an AdmissionReview with a request")
        verdict, answer = _judged(judge, path, asked, uid)
        metrics.admissions.labels(path.strip("/"), verdict.result).inc()
        if verdict.announcement and asked.get("dryRun") is not True:
            tell(verdict.announcement)
        return web.json_response(answer)

    return respond


def _judged(
    judge: Judge, path: str, asked: Mapping[str, Any], uid: str
) -> tuple[Verdict, dict[str, Any]]:
    """An exception would be a denial even under `failurePolicy: Ignore`."""
    try:
        verdict = judge(asked)
        return verdict, verdict.answer(uid)
    except Exception:  # heard of by the log, the metric and the author's warning
        logger.exception("admission.failed", extra={"path": path})
        verdict = Verdict("failed", warnings=(FAULT,))
        return verdict, verdict.answer(uid)


def new_context() -> ssl.SSLContext:
    """TLS 1.2 or newer, without a certificate yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def load_leaf(context: ssl.SSLContext, leaf: Pair) -> None:
    """New connections get this leaf; one that cannot be used is an `SSLError`, and changes nothing.

    Python reads keys from files alone.
    """
    with tempfile.TemporaryDirectory(prefix="penstock-") as directory:
        path = Path(directory) / "leaf.pem"
        path.touch(mode=0o600)
        path.write_bytes(leaf.certificate + leaf.key)
        new_context().load_cert_chain(path)  # OpenSSL takes a chain piece by piece
        context.load_cert_chain(path)
