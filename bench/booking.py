"""The limiter at work without a sidecar around it: requests admitted, served, settled."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from bench.penstock import configuration
from penstock_config.credentials import RedisAccess
from penstock_sidecar.clock import SystemClock
from penstock_sidecar.limits.journal import Journal
from penstock_sidecar.limits.limiter import Limiter
from penstock_sidecar.limits.memory import Memory
from penstock_sidecar.limits.shares import Shares
from penstock_sidecar.model import Caller, Candidate, Chunk, Pod, Request, Usage
from penstock_sidecar.redis_store import RedisStore
from penstock_sidecar.store import Argument, Script

IN_FLIGHT: Final = 32
PATIENCE_SECONDS: Final = 10.0
KEPT: Final = 400
"""Calls that are said again to a script that does nothing."""
EMPTY: Final = "return 1"

POD: Final = Pod("bench", "bench-1", "bench", {})
CALLER: Final = Caller(namespace="bench", app="bench", pod="bench-1", user="")
REQUEST: Final = Request(
    call_id="bench",
    model="fast",
    stream=False,
    usage_wanted=False,
    body=b"x" * 120,
    document={},
    headers={},
    max_output_tokens=16,
)
ANSWER: Final = Chunk(b"", content=True, text_bytes=20, usage=Usage(14, 5), end=True)


class TappedStore(RedisStore):
    """Keeps what the limiter last asked of Redis."""

    def __init__(self, access: RedisAccess) -> None:
        super().__init__(access, deadline_seconds=PATIENCE_SECONDS)
        self.calls: list[tuple[tuple[str, ...], tuple[Argument, ...]]] = []
        self.names: dict[str, str] = {}
        """Of the scripts that were run, by their hash."""

    def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> Coroutine[Any, Any, object]:
        self.names[script.sha] = script.name
        if len(self.calls) < KEPT:
            self.calls.append((keys, arguments))
        return super().script(script, keys, arguments)


@dataclass(slots=True)
class Booking:
    """Five limits and a budget over one Redis."""

    limiter: Limiter
    candidate: Candidate
    store: TappedStore
    _left: int = 0

    async def requests(self, count: int) -> None:
        """Returns when all have been settled; a refusal or a Redis that is late is an error."""
        self._left = count
        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(self._client())
        await self.limiter.settled()

    async def empty_scripts(self, count: int, empty: Script) -> None:
        """As many calls to a script that does nothing."""
        calls = self.store.calls
        for first in range(0, count, IN_FLIGHT):
            some = (calls[n % len(calls)] for n in range(first, min(count, first + IN_FLIGHT)))
            await asyncio.gather(*(RedisStore.script(self.store, empty, *call) for call in some))

    async def increments(self, count: int) -> None:
        for first in range(0, count, IN_FLIGHT):
            some = range(first, min(count, first + IN_FLIGHT))
            await asyncio.gather(*(self.store.command("INCRBY", "floor", 1) for _ in some))

    async def _client(self) -> None:
        while self._left > 0:
            self._left -= 1
            async with (
                self.limiter.ticket(CALLER, REQUEST) as ticket,
                ticket.attempt(self.candidate) as attempt,
            ):
                attempt.sent()
                attempt.saw(ANSWER)


@asynccontextmanager
async def booking(redis_url: str) -> AsyncIterator[Booking]:
    """A limiter as a sidecar has it."""
    config = configuration(upstream_port=9, on="limits")
    (provider,), (policy,), (tier,) = config.providers, config.policies, config.tiers
    clock = SystemClock()
    memory = Memory(clock, Shares(clock), Journal.open(None))
    store = TappedStore(RedisAccess(url=redis_url))
    await store.first_try()
    limiter = Limiter(config, policy, POD, store, b"k" * 32, memory)
    limiter.start()
    try:
        candidate = Candidate(provider, provider.models[0], tier.name, tier.id)
        yield Booking(limiter, candidate, store)
    finally:
        await limiter.close()
        await store.close()
