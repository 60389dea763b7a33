"""An application: asks a sidecar over HTTP, and reads what comes."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.acceptance.endpoints import Answer
from tests.acceptance.fleet import Fleet, Shipped
from tests.acceptance.registry import Case


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole response. Headers' names are in lower case."""

    case: Case
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def answer(self) -> Answer:
        assert self.status == 200, self.body
        return self.case.endpoint.read(self.body)

    @property
    def error(self) -> Mapping[str, Any]:
        found = json.loads(self.body)["error"]
        assert isinstance(found, dict)
        return found


@dataclass(frozen=True, slots=True)
class Caller:
    """Keeps connections, as applications do, and never retries."""

    session: aiohttp.ClientSession

    async def ask(self, sidecar: Shipped, case: Case, body: bytes, **headers: str) -> Reply:
        """`x_subject="a"` is the header `x-subject: a`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = sidecar.url + case.endpoint.path
        async with self.session.post(url, data=body, headers=named) as response:
            fields = {name.lower(): value for name, value in response.headers.items()}
            return Reply(case, response.status, fields, await response.read())

    async def decided(self, sidecar: Shipped, case: Case, body: bytes, **headers: str) -> Reply:
        """Again, where Redis was late and the policy is to refuse then (503): on a small machine
        that happens, and says nothing about a limit."""
        while True:
            reply = await self.ask(sidecar, case, body, **headers)
            if reply.status != 503:
                return reply

    async def warm_up(self, fleet: Fleet, case: Case) -> None:
        """Each sidecar serves once, for a subject of its own: scripts are loaded, connections
        open. What comes then is judged, and not the first time that something is done."""
        body = case.endpoint.body(case.provider.type, max_tokens=1)
        for number, sidecar in enumerate(fleet.sidecars):
            reply = await self.decided(sidecar, case, body, x_subject=f"{case}-warm-{number}")
            assert reply.status == 200, reply.body


@asynccontextmanager
async def caller() -> AsyncIterator[Caller]:
    """Of as many connections as are wanted."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield Caller(session)
