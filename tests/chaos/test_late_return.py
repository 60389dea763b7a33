"""A sidecar returns late to a Redis that forgot, and tells what it knows all the same."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.chaos.house import Sidecar, budget, config, per_app, started, write
from tests.chaos.load import Load, until
from tests.chaos.meter import Meter
from tests.chaos.reading import Money, Reading
from tests.fakes.proxy import Proxy, proxied
from tests.servers import Server, any_server, single

EVERYSEC = ("--appendonly", "yes", "--appendfsync", "everysec")
TAIL = 5
WRITTEN_ON = 60
"""Requests of the other sidecar: more changes than were forgotten."""
KNOWN_WITHIN_SECONDS = 15.0
"""A hold's life is 30; a lost connection is dialled again after 5 at most."""


@dataclass(frozen=True, slots=True)
class Two:
    """`late` reaches Redis by `line`, `early` straight."""

    late: Sidecar
    early: Sidecar
    line: Proxy
    session: aiohttp.ClientSession
    callers: Load

    async def ask(self, sidecar: Sidecar) -> int:
        return await self.callers.ask(self.session, sidecar.url, "ann")


@asynccontextmanager
async def two_on(server: Server, folder: Path, meter: Meter) -> AsyncIterator[Two]:
    settings = config(meter, (per_app(concurrent_requests=100),), (budget(),))
    for name in ("late", "early"):
        (folder / name).mkdir()
    async with proxied(server.url) as line, aiohttp.ClientSession() as session:
        write(folder / "late", settings, line.url)
        write(folder / "early", settings, server.url)
        async with started(folder / "late") as late, started(folder / "early") as early:
            yield Two(late, early, line, session, Load())


@pytest.mark.slow
async def test_who_returns_late_to_forgetful_data_tells_what_it_lacks(tmp_path: Path) -> None:
    """Spend that was forgotten is back though its sidecar spends no more, and what had ended is no
    open reservation: not even where the data has long overtaken what the sidecar saw last."""
    folder, saved = tmp_path / "redis", tmp_path / "saved"
    folder.mkdir()
    with single(any_server(), folder, *EVERYSEC) as server, server.client() as client:
        books = Reading(client)
        async with Meter() as meter, two_on(server, tmp_path, meter) as two:
            assert {await two.ask(each) for each in (two.late, two.early)} == {200}
            meter.gate.clear()
            held = asyncio.create_task(two.ask(two.late))
            await until(lambda: books.money().reserved > 0 and meter.in_flight == 1)
            shutil.copytree(folder, saved)
            meter.gate.set()
            assert await held == 200
            assert {await two.ask(two.late) for _ in range(TAIL)} == {200}
            await until(lambda: books.money() == Money(settled=meter.billed))
            await two.line.cut()
            await asyncio.to_thread(bring_back, server, saved)
            assert books.money().settled < meter.billed, "forgotten"
            await until_served(two, WRITTEN_ON)
            await two.line.mend()
            await until(lambda: books.money() == Money(settled=meter.billed), KNOWN_WITHIN_SECONDS)
            assert books.slots() == 0


async def until_served(two: Two, count: int) -> None:
    """Asks the early one until it has answered so often; Redis may be unknown to it at first."""
    goal = two.callers.seen[200] + count
    async with asyncio.timeout(30):
        while two.callers.seen[200] < goal:
            await two.ask(two.early)


def bring_back(server: Server, saved: Path) -> None:
    server.kill()
    shutil.rmtree(server.directory)
    shutil.copytree(saved, server.directory)
    server.start()
