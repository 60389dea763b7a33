"""Eight sidecars as they ship, one Redis, one limit: judged by the times that Redis recorded."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from penstock_cli.stub import StubProvider
from penstock_config.policy import CallerLimit
from penstock_config.provider import RateLimits
from penstock_config.schema import SidecarConfig
from tests.planes.monitor import monitored
from tests.planes.plane import Files, chat
from tests.planes.shipped import running
from tests.planes.windows import cycle_us, mean_per_window, most_in_a_window

SIDECARS = 8
LIMIT = 60
WINDOW_SECONDS = 4.0
CYCLES = 3
CALLERS = 3
"""Of each sidecar, at once."""
REST_SECONDS = 0.02
ADMISSION = "PEXPIRE"
"""What the acquire script calls once for each admission by this one limit, and for nothing else."""


def limited(files: Files) -> SidecarConfig:
    """One limit over the app; while Redis is late, nobody is served."""
    limits = RateLimits(requests_per_minute=LIMIT, window_seconds=WINDOW_SECONDS)
    app = CallerLimit(name="app", per="App", limits=limits)
    return files.config(limits=(app,), on_redis_loss="Closed")


@asynccontextmanager
async def fleet(folder: Path, size: int) -> AsyncIterator[list[str]]:
    """URLs of sidecars of one app, each its own pod."""
    async with AsyncExitStack() as stack:
        started = [
            stack.enter_async_context(running(folder, APP="shop", POD_NAME=f"shop-{n}"))
            for n in range(size)
        ]
        found = await asyncio.gather(*started)
        yield [f"http://127.0.0.1:{ports.application}/v1/chat/completions" for _, ports in found]


async def flood(session: aiohttp.ClientSession, url: str, seconds: float) -> Counter[int]:
    """Asks again and again; counts what came back, by status."""
    seen: Counter[int] = Counter()
    until = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < until:
        async with session.post(url, json=chat(max_tokens=1)) as answer:
            seen[answer.status] += 1
        if answer.status != 200:
            await asyncio.sleep(REST_SECONDS)
    return seen


@pytest.mark.slow
async def test_eight_sidecar_processes_keep_one_limit(tmp_path: Path, redis_url: str) -> None:
    """AT1, AT4 over HTTP: at 20 x the limit offered no window of any start holds more than the
    limit, the long-run mean is at least 0.98 of it, and the provider got what was admitted."""
    seconds = (CYCLES + 1.5) * cycle_us(WINDOW_SECONDS) / 1_000_000
    async with StubProvider() as main, StubProvider() as backup:
        files = Files(tmp_path, main, backup, redis_url)
        files.write(limited(files))
        async with fleet(tmp_path, SIDECARS) as urls, aiohttp.ClientSession() as session:
            with monitored(redis_url) as monitor:
                floods = [flood(session, url, seconds) for url in urls for _ in range(CALLERS)]
                seen = sum(await asyncio.gather(*floods), Counter[int]())
        times = monitor.times_us(ADMISSION)
        assert seen.total() >= 20 * LIMIT * seconds / WINDOW_SECONDS, seen
        assert seen.keys() <= {200, 429, 503}, seen
        assert seen[200] <= len(times)
        assert len(main.requests) == seen[200]
    assert most_in_a_window(times, WINDOW_SECONDS) <= LIMIT
    assert mean_per_window(times, LIMIT, WINDOW_SECONDS, CYCLES) >= 0.98 * LIMIT
