"""AT6: Redis pauses, dies or is slow: no request hangs, and everything comes back by itself."""

import asyncio
import math
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from penstock_cli.stub import StubProvider
from penstock_config.provider import RateLimits
from penstock_config.schema import SidecarConfig
from tests.acceptance.caller import Caller
from tests.acceptance.counters import counters
from tests.acceptance.fleet import (
    PATIENCE_SECONDS,
    SIDECARS,
    START_SECONDS,
    Fleet,
    Line,
    Shipped,
    by_subject,
    config,
    fleet,
    shipped,
    write,
)
from tests.acceptance.load import Limited, published, subjects
from tests.acceptance.registry import CASES, PROVIDERS, Case
from tests.fakes.proxy import Proxy, proxied
from tests.servers.binaries import any_server
from tests.servers.server import Server, single
from tests.sidecar.http.edge import exchange, head

MOST_EPISODES = 8
"""Of each fault. One that keeps the bounds is enough: a busy machine makes others slow."""
PHASE_SECONDS = 1.2
REST_SECONDS = 0.02
BEFORE_OPEN_MS, AFTER_OPEN_MS = 60, 20
WINDOW_SECONDS = 3600
ENDLESS = RateLimits(requests_per_minute=10**6, window_seconds=WINDOW_SECONDS)
LIMIT = 80

Step = Callable[["Way"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Way:
    """To Redis: the server, and what lies before it."""

    server: Server
    proxy: Proxy

    async def freeze(self) -> None:
        self.server.freeze()

    async def thaw(self) -> None:
        self.server.thaw()

    async def kill(self) -> None:
        await asyncio.to_thread(self.server.kill)

    async def start(self) -> None:
        await asyncio.to_thread(self.server.start)

    async def delay(self) -> None:
        self.proxy.to_client.latency_seconds = 0.5

    async def mend(self) -> None:
        await self.proxy.mend()


FAULTS: Mapping[str, tuple[Step, Step]] = {
    "paused": (Way.freeze, Way.thaw),
    "killed": (Way.kill, Way.start),
    "half a second late": (Way.delay, Way.mend),
}


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Way]:
    """A Redis that keeps what it knows when it is killed."""
    with single(any_server(), tmp_path, "--appendonly", "yes") as server:
        async with proxied(server.url) as proxy:
            yield Way(server, proxy)


@pytest.fixture
def one(tmp_path: Path, way: Way) -> Iterator[Fleet]:
    with fleet(tmp_path, way.proxy.url, size=1) as running:
        yield running


Took = dict[Case, list[float]]
"""Milliseconds of each request that began in one phase."""


@dataclass(slots=True)
class Traffic:
    """Requests of every case all the time, and a kubelet that asks whether the pod is alive."""

    sidecar: Shipped
    caller: Caller
    now: Took = field(default_factory=lambda: defaultdict(list))
    seen: Counter[int] = field(default_factory=Counter)
    alive: Counter[int] = field(default_factory=Counter)

    def phase(self) -> Took:
        """Begins one; whole when the next has lasted for a while."""
        self.now = defaultdict(list)
        return self.now

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._ask(case)) for case in CASES]
        tasks.append(asyncio.create_task(self._probe()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(end) for end in ends} == {asyncio.CancelledError}, ends

    async def _ask(self, case: Case) -> None:
        loop = asyncio.get_running_loop()
        body = case.endpoint.body(case.provider.type, max_tokens=5)
        while True:
            began, mine = loop.time(), self.now
            reply = await self.caller.ask(self.sidecar, case, body)
            mine[case].append((loop.time() - began) * 1000)
            self.seen[reply.status] += 1
            await asyncio.sleep(REST_SECONDS)

    async def _probe(self) -> None:
        while True:
            response = await exchange(self.sidecar.ports.probe, head("GET", "/healthz"))
            self.alive[response.status] += 1
            await asyncio.sleep(REST_SECONDS)


@dataclass(frozen=True, slots=True)
class Episode:
    """One outage, from before it to the time when Redis is back."""

    before: Took
    until_open: Took
    """From the fault on, until the sidecar has given Redis up."""
    while_open: Took
    seconds: float
    lines: Sequence[Line]

    def is_good(self, case: Case) -> bool:
        """The bounds are kept; and nothing else made requests slow before, which would hide it."""
        calm = p99(self.before[case]) - median(self.before[case]) <= AFTER_OPEN_MS
        opening, after = self.added_ms(case)
        return calm and opening <= BEFORE_OPEN_MS and after <= AFTER_OPEN_MS

    def added_ms(self, case: Case) -> tuple[float, float]:
        """To the 99th percentile, until the breaker opened and while it was open; 0 where nothing
        was asked in so short a time."""
        usual = p99(self.before[case])
        opening, after = (p99(took[case]) - usual for took in (self.until_open, self.while_open))
        return opening, after

    def told(self) -> dict[str, tuple[float, float]]:
        return {str(case): self.added_ms(case) for case in CASES}

    def assert_no_flood(self) -> None:
        """The log of requests aside, which is there in good times too."""
        events = Counter(line.said["event"] for line in self.lines)
        del events["request.ended"]
        assert all(count <= 1 + self.seconds for count in events.values()), events


def p99(values: Sequence[float]) -> float:
    return sorted(values)[math.ceil(len(values) * 0.99) - 1] if values else 0


async def episode(traffic: Traffic, way: Way, fault: str) -> Episode:
    begin, end = FAULTS[fault]
    sidecar, loop = traffic.sidecar, asyncio.get_running_loop()
    before = traffic.phase()
    await asyncio.sleep(PHASE_SECONDS)
    lines, began = len(sidecar.lines), loop.time()
    until_open = traffic.phase()
    await begin(way)
    await sidecar.until(redis_available=False)
    while_open = traffic.phase()
    await asyncio.sleep(PHASE_SECONDS)
    traffic.phase()
    said, seconds = sidecar.lines[lines:], loop.time() - began
    await end(way)
    await sidecar.until(redis_available=True)
    return Episode(before, until_open, while_open, seconds, said)


def serving(fakes: Mapping[str, StubProvider], limits: RateLimits, **changes: Any) -> SidecarConfig:
    """All cases, each subject with the limits to itself."""
    providers = [kind.configured(fakes[kind.type]) for kind in PROVIDERS]
    return config(*providers, limits=(by_subject(limits, "at6"),), **changes)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
async def test_at6_no_request_hangs_while_redis_is_away_and_it_comes_back_alone(
    fault: str, way: Way, one: Fleet, fakes: Mapping[str, StubProvider], application: Caller
) -> None:
    """The 99th percentile grows by 60 ms at most until the breaker opens, by 20 ms after; the log
    is quiet, the pod alive, all are served; then Redis counts again."""
    await one.publish(serving(fakes, ENDLESS))
    (sidecar,) = one.sidecars
    traffic = Traffic(sidecar, application)
    episodes: list[Episode] = []
    async with traffic.flowing():
        while not all(any(each.is_good(case) for each in episodes) for case in CASES):
            assert len(episodes) < MOST_EPISODES, [each.told() for each in episodes]
            episodes.append(await episode(traffic, way, fault))
    for each in episodes:
        each.assert_no_flood()
    assert traffic.seen.keys() == {200}
    assert traffic.alive.keys() == {200}
    await until_counted_again(way, sidecar, application)


async def until_counted_again(way: Way, sidecar: Shipped, application: Caller) -> None:
    """Every case, by its subject, in Redis."""
    with counters(way.server.url) as counts:
        for case in CASES:
            known = len(counts.of_each("rpm", WINDOW_SECONDS))
            body = case.endpoint.body(case.provider.type, max_tokens=5)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(counts.of_each("rpm", WINDOW_SECONDS)) == known:
                    reply = await application.ask(sidecar, case, body, x_subject=str(case))
                    assert reply.status == 200


@asynccontextmanager
async def without_redis(
    fleet: Fleet, wanted: SidecarConfig, meanwhile: Callable[[], Awaitable[None]]
) -> AsyncIterator[None]:
    """`fleet` works by `wanted`; Redis is there during `meanwhile`, and not in the block."""
    async with proxied(fleet.redis_url) as proxy:
        await fleet.publish(wanted, proxy.url)
        await asyncio.gather(*(s.until(redis_available=True) for s in fleet.sidecars))
        await meanwhile()
        await proxy.cut()
        await asyncio.gather(*(s.until(redis_available=False) for s in fleet.sidecars))
        yield


async def test_at6_local_shares_admit_at_most_nine_tenths_of_a_limit_over_all_sidecars(
    case: Case, fake: StubProvider, eight: Fleet, application: Caller
) -> None:
    """What Redis admitted before counts as well; requests by their limit, tokens by theirs."""
    limited = Limited.to(LIMIT)
    both = subjects(case, fake, eight, application, f"at6-{case}")
    wanted = published(case, fake, limited, on_redis_loss="LocalShare")

    async def everywhere(times: int) -> None:
        for sidecar in eight.sidecars:
            for _ in range(times):
                await asyncio.gather(both.small.ask(sidecar), both.large.ask(sidecar))

    async with without_redis(eight, wanted, lambda: everywhere(1)):
        assert both.small.seen == both.large.seen == {200: SIDECARS}
        await everywhere(2 * LIMIT // SIDECARS)
    assert both.small.seen.keys() == both.large.seen.keys() == {200, 429}
    share = 9 * LIMIT // 10 // SIDECARS
    assert both.small.seen[200] == share * SIDECARS <= 0.9 * LIMIT
    assert both.large.seen[200] == share // 2 * SIDECARS <= 0.9 * limited.large_requests


async def test_at6_closed_says_that_the_limiter_is_unavailable(
    case: Case, fake: StubProvider, eight: Fleet, application: Caller
) -> None:
    wanted = published(case, fake, Limited.to(LIMIT))
    served = len(fake.requests)
    async with without_redis(eight, wanted, lambda: asyncio.sleep(0)):
        for sidecar in eight.sidecars:
            body = case.endpoint.body(case.provider.type, max_tokens=5)
            reply = await application.ask(sidecar, case, body, x_subject="closed")
            assert (reply.status, reply.error["code"]) == (503, "limiter_unavailable")
            assert reply.headers["retry-after"] in {"1", "2"}
    assert len(fake.requests) == served


async def test_at6_a_sidecar_starts_without_redis_and_finds_it_later(
    way: Way, tmp_path: Path, fakes: Mapping[str, StubProvider], application: Caller
) -> None:
    """All cases are served by the local share, and counted in Redis once that is there."""
    await way.kill()
    write(tmp_path, serving(fakes, ENDLESS), way.server.url)
    bodies = {case: case.endpoint.body(case.provider.type, max_tokens=5) for case in CASES}
    with shipped(tmp_path) as sidecar:
        assert await asyncio.to_thread(sidecar.started.wait, START_SECONDS)
        for path in ("/healthz", "/readyz"):
            assert (await exchange(sidecar.ports.probe, head("GET", path))).status == 200
        for case, body in bodies.items():
            assert (await application.ask(sidecar, case, body)).status == 200
        assert not (await sidecar.state())["redis_available"]
        await way.start()
        await sidecar.until(redis_available=True)
        await until_counted_again(way, sidecar, application)
