"""A stand-in for the API server that keeps ConfigMaps, statuses and Events."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from penstock_operator.cluster import Cluster, connect
from tests.operator.cluster.api_server import api_server, status

Body = dict[str, Any]


@dataclass
class WarmingApi:
    """ConfigMaps by name; statuses of policies by name, as they were applied last."""

    maps: dict[str, dict[str, str]] = field(default_factory=dict)
    statuses: dict[str, Body] = field(default_factory=dict)
    managers: set[str] = field(default_factory=set)
    events: dict[str, Body] = field(default_factory=dict)
    """By name: one that is there already is refused."""
    reads: int = 0
    refuses_reads: int = 0
    """HTTP status that reading a ConfigMap gets."""
    writes: int = 0
    refuses_writes: int = 0
    """HTTP status that writing a status gets."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        match request.method, request.path.strip("/").split("/"):
            case "GET", [*_, "configmaps", name]:
                self.reads += 1
                return self._map(name)
            case "PATCH", [*_, "routepolicies", name, "status"]:
                self.writes += 1
                if self.refuses_writes:
                    return status(self.refuses_writes, "as the test wants it")
                self.managers.add(request.query["fieldManager"])
                body = await request.json()
                self.statuses[name] = body["status"]
                return web.json_response(body)
            case "POST", [*_, "events"]:
                return self._post(await request.json())
            case _:
                return status(404, request.path)

    def _map(self, name: str) -> web.Response:
        if self.refuses_reads:
            return status(self.refuses_reads, "as the test wants it")
        found = self.maps.get(name)
        return status(404, name) if found is None else web.json_response({"data": found})

    def _post(self, event: Body) -> web.Response:
        name = event["metadata"]["name"]
        if name in self.events:
            return status(409, name)
        self.events[name] = event
        return web.json_response(event)

    def reasons(self) -> list[str]:
        return [event["reason"] for event in self.events.values()]


@asynccontextmanager
async def served(api: WarmingApi, directory: Path) -> AsyncIterator[Cluster]:
    async with api_server(api.answer, directory) as kubeconfig, connect(kubeconfig) as cluster:
        yield cluster
