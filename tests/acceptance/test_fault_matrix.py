"""One of two providers misbehaves, in each way that providers do: callers do not notice.

Both are asked alike, through a whole sidecar with a real Redis. What is slow is compared with the
same run's own time while both were well.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from penstock_cli.stub import EMPTY, Behaviour, Broken, Ok, Raw, Status, StubProvider
from penstock_config.policy import Retry
from penstock_config.provider import Health
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Hedge
from tests.planes.plane import NAMESPACE, Plane, chat, running_plane
from tests.sidecar.http.edge import Response

AT_A_TIME: Final = 4
REQUESTS: Final = 120
ERRORS: Final = 0.01
WELL_SECONDS: Final = 0.02
WELL: Final = Ok(text="one two three", first=WELL_SECONDS)
HEDGE_SECONDS: Final = 0.05
HEDGE: Final = Hedge(after_ms=50, max_extra_percent=100)
COOLDOWN_SECONDS: Final = 1.0
THRESHOLD: Final = 3
PATIENCE_SECONDS: Final = 30
Change = Callable[[StubProvider], Awaitable[None]]
streamed = pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])


def always(behaviour: Behaviour) -> Change:
    async def change(stub: StubProvider) -> None:
        stub.always(behaviour)

    return change


async def down(stub: StubProvider) -> None:
    await stub.refuse()


async def well(stub: StubProvider) -> None:
    """As after a restart."""
    stub.always(WELL)
    await stub.refuse()
    await stub.accept()


FAILS: Final[Mapping[str, Change]] = {
    "down": down,
    "500s": always(Status(500)),
    "empty": always(EMPTY),
    "429 with a hint": always(Status(429, retry_after="1")),
    "429 without": always(Status(429)),
    "cut": always(Broken("reset", after=1)),
    "wrong JSON": always(Broken("malformed", after=0)),
    "an error page": always(Raw((b"<html>sorry</html>",), content_type="text/html")),
}
"""Each of which speaks against a provider."""
SLOW: Final = always(Ok(first=float(PATIENCE_SECONDS)))


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as its caller saw it."""

    response: Response
    seconds: float
    stream: bool

    @property
    def served(self) -> bool:
        """To its normal end, and with all of its text."""
        response = self.response
        if response.status != 200:
            return False
        if not self.stream:
            choice = json.loads(response.body)["choices"][0]
            return bool(choice["message"]["content"] == WELL.text)
        return response.body.endswith(b"data: [DONE]\n\n") and b'"error"' not in response.body

    @property
    def provider(self) -> str:
        return self.response.headers.get("x-penstock-provider", "").removeprefix(f"{NAMESPACE}/")


def alike(plane: Plane, cooldown_seconds: float = COOLDOWN_SECONDS) -> SidecarConfig:
    """Tier `fast` asks both by turns, as often; it hedges."""
    config = plane.config(retry=Retry(attempts=2, backoff_ms=1))
    health = Health(failure_threshold=THRESHOLD, cooldown_seconds=cooldown_seconds)
    providers = (p.model_copy(update={"health": health}) for p in config.providers)
    fast, solo = config.tiers
    candidates = tuple(c.model_copy(update={"priority": 0}) for c in fast.candidates)
    fast = fast.model_copy(update={"candidates": candidates, "hedge": HEDGE})
    return config.model_copy(update={"providers": tuple(providers), "tiers": (fast, solo)})


@pytest.fixture
async def plane(tmp_path: Path, redis_url: str) -> AsyncIterator[Plane]:
    async with running_plane(tmp_path, redis_url) as running:
        await running.publish(alike(running))
        for each in (running.main, running.backup):
            each.always(WELL)
        yield running


async def ask(plane: Plane, *, stream: bool) -> Asked:
    began = time.perf_counter()
    async with asyncio.timeout(PATIENCE_SECONDS):
        response = await plane.ask(chat(stream=stream))
    return Asked(response, time.perf_counter() - began, stream)


async def ask_many(plane: Plane, requests: int, *, stream: bool) -> list[Asked]:
    found: list[Asked] = []

    async def caller() -> None:
        found.extend([await ask(plane, stream=stream) for _ in range(requests // AT_A_TIME)])

    await asyncio.gather(*(caller() for _ in range(AT_A_TIME)))
    return found


def p95(asked: list[Asked]) -> float:
    return sorted(each.seconds for each in asked)[len(asked) * 95 // 100]


def error_rate(asked: list[Asked]) -> float:
    return sum(not each.served for each in asked) / len(asked)


async def until_served_by(plane: Plane, provider: str, *, stream: bool) -> None:
    """All requests on the way there are served as well."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = await ask(plane, stream=stream)
            assert found.served
            if found.provider == provider:
                return


@streamed
@pytest.mark.parametrize("fault", FAILS)
async def test_a_provider_that_fails_is_not_noticed(plane: Plane, fault: str, stream: bool) -> None:
    usual = await ask_many(plane, REQUESTS, stream=stream)
    assert error_rate(usual) == 0
    assert {each.provider for each in usual} == {"main", "backup"}
    await FAILS[fault](plane.main)
    before, began = len(plane.main.requests), time.perf_counter()
    troubled = await ask_many(plane, REQUESTS, stream=stream)
    cooldowns = (time.perf_counter() - began) // COOLDOWN_SECONDS + 1
    assert error_rate(troubled) < ERRORS
    assert p95(troubled) <= HEDGE_SECONDS + 3 * p95(usual)
    asked = len(plane.main.requests) - before
    at_first, on_trial = THRESHOLD + 2 * AT_A_TIME, 2 * cooldowns
    assert asked <= at_first + on_trial, "its breaker has opened"
    await well(plane.main)
    await until_served_by(plane, "main", stream=stream)


@streamed
async def test_a_provider_that_is_slow_costs_no_more_than_the_hedge(
    plane: Plane, stream: bool
) -> None:
    usual = await ask_many(plane, REQUESTS, stream=stream)
    await SLOW(plane.main)
    slowed = await ask_many(plane, REQUESTS, stream=stream)
    assert error_rate(slowed) < ERRORS
    assert p95(slowed) <= HEDGE_SECONDS + 3 * p95(usual)
    hedges = [each.response.headers.get("x-penstock-hedge") for each in slowed]
    assert hedges.count("second") > REQUESTS // 10
    for seen in plane.main.requests:
        if not seen.ended.is_set():
            async with asyncio.timeout(PATIENCE_SECONDS):
                await seen.disconnected.wait()
    await well(plane.main)
    await until_served_by(plane, "main", stream=stream)


async def test_a_slow_provider_is_soon_asked_seldom_where_latency_counts(plane: Plane) -> None:
    """So that a tenth of the requests may have a second, and hardly one needs it."""
    config = alike(plane)
    fast, solo = config.tiers
    few = Hedge(after_ms=50, max_extra_percent=10)
    fast = fast.model_copy(update={"strategy": "LeastLatency", "hedge": few})
    await plane.publish(config.model_copy(update={"tiers": (fast, solo)}))
    await ask_many(plane, REQUESTS, stream=True)
    before, slow_seconds = len(plane.main.requests), 50 * WELL_SECONDS
    plane.main.always(Ok(text=WELL.text, first=slow_seconds))
    slowed = await ask_many(plane, REQUESTS, stream=True)
    assert error_rate(slowed) == 0
    assert p95(slowed) < slow_seconds
    assert len(plane.main.requests) - before < REQUESTS // 4


async def test_streams_that_are_cut_half_way_are_few(plane: Plane) -> None:
    """What callers have read the beginning of nobody can replace: the breaker keeps them few."""
    await plane.publish(alike(plane, cooldown_seconds=PATIENCE_SECONDS))
    well_at_once = Ok(text=WELL.text)
    plane.backup.always(well_at_once)
    plane.main.always(Broken("reset", after=3, answer=well_at_once))
    asked = await ask_many(plane, 1600, stream=True)
    cut = [each for each in asked if not each.served]
    assert 0 < len(cut) <= THRESHOLD + AT_A_TIME
    assert error_rate(asked) < ERRORS
    for each in cut:
        assert b"upstream_stream_broken" in each.response.body
        assert b"[DONE]" not in each.response.body


@streamed
async def test_where_all_fail_somebody_is_asked_all_the_same(plane: Plane, stream: bool) -> None:
    """And the first request after they are well again is served, whatever has not cooled yet."""
    await plane.publish(alike(plane, cooldown_seconds=PATIENCE_SECONDS))
    for each in (plane.main, plane.backup):
        each.always(Status(500))
    for _ in range(10):
        before = len(plane.main.requests) + len(plane.backup.requests)
        assert (await ask(plane, stream=stream)).response.status == 502
        assert len(plane.main.requests) + len(plane.backup.requests) > before
    for each in (plane.main, plane.backup):
        each.always(WELL)
    assert (await ask(plane, stream=stream)).served
