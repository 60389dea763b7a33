"""A stand-in for the API server that keeps Budgets, Events and Secrets, and can kill its caller."""

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from penstock_operator.handlers.inventory import Inventory
from tests.operator.cluster.api_server import api_server, status


@dataclass
class Gate:
    """Counts effects on the world. At the one called `at` the caller is to be killed: before it
    happens, or after it and before the caller hears of it."""

    at: int = 0
    after: bool = False
    effects: list[str] = field(default_factory=list)
    tripped: asyncio.Event = field(default_factory=asyncio.Event)

    async def pass_(self, name: str, happen: Callable[[], web.Response]) -> web.Response:
        self.effects.append(name)
        if len(self.effects) != self.at:
            return happen()
        if self.after:
            happen()
        self.tripped.set()
        await asyncio.Event().wait()
        raise AssertionError


@dataclass
class BudgetApi:
    """Budgets by name in the namespace `shop`."""

    gate: Gate = field(default_factory=Gate)
    budgets: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    """Creations of Events that were there already, by name."""
    writes: list[dict[str, Any]] = field(default_factory=list)
    """Statuses, in the order in which they were written."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        parts = request.path.strip("/").split("/")
        match request.method, parts:
            case "PATCH", [*_, "budgets", name, "status"]:
                body = await request.json()
                return await self.gate.pass_("status", lambda: self._apply(name, body))
            case "POST", [*_, "events"]:
                body = await request.json()
                return await self.gate.pass_("event", lambda: self._post(body))
            case "GET", [*_, "secrets", name] if name in self.secrets:
                values = self.secrets[name].items()
                data = {key: base64.b64encode(text.encode()).decode() for key, text in values}
                return web.json_response({"data": data})
            case _:
                return status(404, request.path)

    def _apply(self, name: str, body: dict[str, Any]) -> web.Response:
        if name not in self.budgets:
            return status(404, name)
        self.budgets[name]["status"] = body["status"]
        self.writes.append(body["status"])
        return web.json_response(self.budgets[name])

    def _post(self, body: dict[str, Any]) -> web.Response:
        name = body["metadata"]["name"]
        if name in self.events:
            self.refused[name] += 1
            return status(409, name)
        self.events[name] = body
        return web.json_response(body)

    def inventory(self) -> Inventory:
        """As a new process lists it."""
        found = Inventory()
        for body in self.budgets.values():
            found.note_object(body)
        return found

    def reasons(self) -> list[str]:
        return sorted(body["reason"] for body in self.events.values())


@asynccontextmanager
async def served(api: BudgetApi, directory: Path) -> AsyncIterator[Path]:
    """A kubeconfig for it."""
    async with api_server(api.answer, directory) as kubeconfig:
        yield kubeconfig
