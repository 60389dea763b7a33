"""Stand-ins for health: an API server that keeps statuses and Events, a provider that lists."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from penstock_operator.cluster import Cluster, connect
from tests.operator.cluster.api_server import api_server, status

Body = dict[str, Any]


@dataclass
class HealthApi:
    """Statuses by plural and name, as they were applied last."""

    statuses: dict[tuple[str, str], Body] = field(default_factory=dict)
    managers: set[str] = field(default_factory=set)
    events: list[Body] = field(default_factory=list)
    writes: int = 0
    refuses: int = 0
    """HTTP status that writes get."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        match request.method, request.path.strip("/").split("/"):
            case "PATCH", [*_, plural, name, "status"]:
                if self.refuses:
                    return status(self.refuses, "as the test wants it")
                self.writes += 1
                self.managers.add(request.query["fieldManager"])
                body = await request.json()
                self.statuses[plural, name] = body["status"]
                return web.json_response(body)
            case "POST", [*_, "events"]:
                self.events.append(await request.json())
                return web.json_response(self.events[-1])
            case _:
                return status(404, request.path)

    def reasons(self) -> list[str]:
        return [event["reason"] for event in self.events]


@asynccontextmanager
async def served(api: HealthApi, directory: Path) -> AsyncIterator[Cluster]:
    async with api_server(api.answer, directory) as kubeconfig, connect(kubeconfig) as cluster:
        yield cluster


@dataclass
class Lists:
    """A provider that knows one request: which models are there?"""

    status: int = 200
    asked: list[web.Request] = field(default_factory=list)
    url: str = ""
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        headers = {"location": f"{self.url}/elsewhere"} if self.status == 307 else None
        return web.json_response({"data": []}, status=self.status, headers=headers)
