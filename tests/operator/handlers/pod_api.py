"""A stand-in for the API server that keeps pods' annotations, and fails where it is told to."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from penstock_operator.api.names import MARK_ANNOTATION
from tests.operator.cluster.api_server import api_server, status

Body = dict[str, Any]


@dataclass
class PodApi:
    """Everything is in the namespace `shop`, or where the path says."""

    marks: dict[str, str] = field(default_factory=dict)
    bodies: list[Body] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    """By pod, or by method and resource of anything else."""
    failing: dict[str, int] = field(default_factory=dict)
    """Pods, and the HTTP status that they get."""
    documents: list[Body] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    """Patches wait for it."""
    at_once: int = 0
    most_at_once: int = 0
    events: list[Body] = field(default_factory=list)
    statuses: list[Body] = field(default_factory=list)
    """As they were applied."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        parts = request.path.strip("/").split("/")
        match request.method, parts:
            case "PATCH", [*_, "pods", name]:
                return await self._touch(name, await request.json())
            case "PATCH", [*_, "routepolicies", _, "status"]:
                return self._apply(await request.json())
            case "POST", [*_, "events"]:
                self.events.append(await request.json())
                return web.json_response(self.events[-1])
            case "GET", [*_, "namespaces", namespace, "pods"]:
                self.calls[f"list {namespace}: {request.query['labelSelector']}"] += 1
                found = [b for b in self.bodies if b["metadata"]["namespace"] == namespace]
                return web.json_response({"metadata": {}, "items": found})
            case _:
                return status(404, request.path)

    def _apply(self, document: Body) -> web.Response:
        name = document["metadata"]["name"]
        self.calls[name] += 1
        if code := self.failing.get(name):
            return status(code, "as the test wants it")
        self.statuses.append(document["status"])
        return web.json_response(document)

    async def _touch(self, name: str, document: Body) -> web.Response:
        self.calls[name] += 1
        self.documents.append(document)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.open.wait()
        finally:
            self.at_once -= 1
        if code := self.failing.get(name):
            return status(code, "as the test wants it")
        self.marks[name] = document["metadata"]["annotations"][MARK_ANNOTATION]
        return web.json_response({"metadata": document["metadata"]})


@asynccontextmanager
async def served(api: PodApi, directory: Path) -> AsyncIterator[Path]:
    """A kubeconfig for it."""
    async with api_server(api.answer, directory) as kubeconfig:
        yield kubeconfig
