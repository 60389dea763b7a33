"""How often a sidecar looks, in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from penstock_sidecar.errors import UpstreamUnavailable
from penstock_sidecar.health.breakers import Breakers
from penstock_sidecar.health.sharing import (
    BREATH_SECONDS,
    JITTER,
    LOOK_SECONDS,
    QUIET_LOOK_SECONDS,
    QUIET_SECONDS,
    Known,
    Place,
    Sharing,
)
from penstock_sidecar.store import Argument, Script, StoreUnavailable
from tests.sidecar.health.world import candidate

pytestmark = pytest.mark.looptime
ONE = candidate()


class LoopClock:
    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def utc(self) -> float:
        return self.monotonic()


@dataclass
class Calm:
    """A store in which nothing fails; or nobody answers."""

    away: bool = False
    looks: list[float] = field(default_factory=list)
    scripts: int = 0

    async def command(self, *_: Argument) -> object:
        self.looks.append(asyncio.get_running_loop().time())
        if self.away:
            raise StoreUnavailable("away", sent=False)
        return int(self.scripts > 0)

    async def script(self, script: Script, *_: object) -> object:
        assert script.name == "breakers"
        self.scripts += 1
        if self.away:
            raise StoreUnavailable("away", sent=False)
        return b'{"now": 1, "records": {"chat/m": {"until_ms": 60001, "opened_ms": 1}}}'


@asynccontextmanager
async def looking(store: Calm) -> AsyncIterator[Breakers]:
    breakers = Breakers(LoopClock())
    place = Place(store, "test", {ONE.provider.id: Known.of(ONE.provider)})
    task = asyncio.create_task(Sharing(breakers, lambda: place).run())
    try:
        yield breakers
    finally:
        task.cancel()
        await asyncio.wait([task])


def pauses(looks: list[float]) -> list[float]:
    return [late - early for early, late in pairwise(looks)]


async def test_while_requests_come_it_looks_twice_a_second() -> None:
    store = Calm()
    async with looking(store) as breakers:
        for _ in range(300):
            breakers.succeeded(ONE, "openai-chat", breakers.now())
            await asyncio.sleep(0.1)
    assert all(LOOK_SECONDS * (1 - JITTER) <= each <= LOOK_SECONDS for each in pauses(store.looks))
    assert store.scripts == 0


async def test_at_rest_it_looks_less_often_and_at_once_when_requests_come() -> None:
    store = Calm()
    async with looking(store) as breakers:
        await asyncio.sleep(QUIET_SECONDS * 3)
        rested = [p for p in pauses(store.looks) if p > LOOK_SECONDS]
        assert all(p <= QUIET_LOOK_SECONDS for p in rested)
        assert len(rested) >= QUIET_SECONDS
        at = breakers.now()
        breakers.succeeded(ONE, "openai-chat", at)
        await asyncio.sleep(2 * BREATH_SECONDS)
        assert at <= store.looks[-1] <= at + BREATH_SECONDS


async def test_failures_that_come_at_once_are_told_together() -> None:
    store = Calm()
    async with looking(store) as breakers:
        await asyncio.sleep(1)
        for _ in range(100):
            breakers.failed(ONE, UpstreamUnavailable("down"), "openai-chat")
        await asyncio.sleep(0.2)
        assert store.scripts <= 2


async def test_a_redis_that_is_away_is_not_asked_more_often() -> None:
    store = Calm(away=True)
    async with looking(store) as breakers:
        breakers.failed(ONE, UpstreamUnavailable("down"), "openai-chat")
        await asyncio.sleep(10)
    assert len(store.looks) <= 10 / (LOOK_SECONDS * (1 - JITTER)) + 2
