"""`/progress`, `/readyz`, `/healthz` and `/drain`: what the operator and the kubelet ask."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from penstock_operator.loader.draining import SETTLE_SECONDS, connections_now, drained
from penstock_operator.ollama.progress import Progress

SHUTDOWN_SECONDS = 1.0


@asynccontextmanager
async def serve(
    host: str, port: int, progress: Callable[[], Progress], is_alive: Callable[[], bool]
) -> AsyncIterator[int]:
    """Serves until the block ends; yields the port."""

    async def show(_: web.Request) -> web.Response:
        text = progress().model_dump_json(by_alias=True)
        return web.Response(text=text, content_type="application/json")

    async def is_ready(_: web.Request) -> web.Response:
        found = progress()
        waiting = [f"{m.name}: {m.state}" for m in found.models if m.state not in {"Ready", "Idle"}]
        text = "; ".join(filter(None, [found.message, *waiting])) or "ok"
        return web.Response(status=200 if found.ready else 503, text=text)

    async def turns(_: web.Request) -> web.Response:
        alive = is_alive()
        return web.Response(status=200 if alive else 503, text="ok" if alive else "it stands still")

    async def drain(_: web.Request) -> web.Response:
        """Answers when the pod may end. One that is not ready was sent nobody."""
        await drained(connections_now, SETTLE_SECONDS if progress().ready else 0)
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_get("/progress", show)
    app.router.add_get("/readyz", is_ready)
    app.router.add_get("/healthz", turns)
    app.router.add_get("/drain", drain)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
