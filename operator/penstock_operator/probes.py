"""`/healthz`, `/readyz` and `/metrics` on one plain port."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from aiohttp import web

Answer = Callable[[], str | None]
"""`None` is good; a text says what is missing."""


class Exposition(Protocol):
    """Figures as Prometheus reads them."""

    @property
    def content_type(self) -> str: ...

    def exposition(self) -> bytes: ...


@asynccontextmanager
async def serve_probes(
    host: str, port: int, metrics: Exposition, *, alive: Answer, ready: Answer
) -> AsyncIterator[int]:
    """Serves until the block ends; yields the port."""
    app = web.Application()

    async def show_metrics(_: web.Request) -> web.Response:
        return web.Response(
            body=metrics.exposition(), headers={"Content-Type": metrics.content_type}
        )

    app.router.add_get("/healthz", probe(alive))
    app.router.add_get("/readyz", probe(ready))
    app.router.add_get("/metrics", show_metrics)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def probe(answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler that says 200 or, with what is missing, 503."""

    async def respond(_: web.Request) -> web.Response:
        missing = answer()
        return web.Response(status=503 if missing else 200, text=missing or "ok")

    return respond
