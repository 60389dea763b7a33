"""A webhook's receiver: a real server that notes what it is sent and answers as it is told."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Around = Callable[[str, Callable[[], web.Response]], Awaitable[web.Response]]


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
    around: Around | None = None
    """Does or does not what it is given."""
    _status: int = 200
    _headers: dict[str, str] = field(default_factory=dict)

    def answer(self, status: int, **headers: str) -> None:
        """From now on."""
        self._status, self._headers = status, headers

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.around is None:
            return self._take(request, body)
        return await self.around("webhook", lambda: self._take(request, body))

    def _take(self, request: web.Request, body: dict[str, Any]) -> web.Response:
        key, status = request.headers["Idempotency-Key"], self._status
        self.calls.append(Call(key, body, request.path, status))
        return web.Response(status=status, headers=self._headers)


@asynccontextmanager
async def served_hooks() -> AsyncIterator[Hooks]:
    hooks = Hooks()
    app = web.Application()
    app.router.add_post("/{path:.*}", hooks.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    hooks.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield hooks
    finally:
        await runner.cleanup()
