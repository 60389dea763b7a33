"""A stand-in for the API server where a real one cannot be made to misbehave."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import yaml
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def api_server(handler: Handler, directory: Path) -> AsyncIterator[Path]:
    """Serves everything by `handler`; yields a kubeconfig for it."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        yield write_kubeconfig(directory / "kubeconfig", f"http://127.0.0.1:{port}")
    finally:
        await runner.cleanup()


def write_kubeconfig(path: Path, server: str) -> Path:
    document = {
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "hush-token"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path.write_text(yaml.safe_dump(document))
    return path


def status(code: int, message: str) -> web.Response:
    """A Kubernetes `Status`."""
    document = {"kind": "Status", "status": "Failure", "code": code, "message": message}
    return web.json_response(document, status=code)


async def stream(request: web.Request, *events: object, cut: bool = False) -> web.StreamResponse:
    """Watch events, one on each line; `cut` ends in the middle of one more."""
    response = web.StreamResponse()
    await response.prepare(request)
    for event in events:
        await response.write(json.dumps(event).encode() + b"\n")
    if cut:
        await response.write(b'{"type": "MODI')
    await response.write_eof()
    return response
