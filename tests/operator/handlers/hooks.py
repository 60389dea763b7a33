"""A webhook's receiver: a real server that notes what it is sent and answers as it is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Call:
    key: str
    body: dict[str, Any]
    path: str
    answered: int


@dataclass
class Hooks:
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    _status: int = 200
    _headers: dict[str, str] = field(default_factory=dict)

    def answer(self, status: int, **headers: str) -> None:
        """From now on."""
        self._status, self._headers = status, headers

    async def handle(self, request: web.Request) -> web.Response:
        key, status = request.headers["Idempotency-Key"], self._status
        self.calls.append(Call(key, await request.json(), request.path, status))
        return web.Response(status=status, headers=self._headers)


@asynccontextmanager
async def served_hooks() -> AsyncIterator[Hooks]:
    hooks = Hooks()
    app = web.Application()
    app.router.add_post("/{path:.*}", hooks.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    hooks.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield hooks
    finally:
        await runner.cleanup()
