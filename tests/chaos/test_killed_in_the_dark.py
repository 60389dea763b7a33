"""A sidecar dies with settlements that Redis, which was away, has never heard."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from penstock_sidecar.limits.journal_disk import replayed
from tests.chaos.house import Sidecar, budget, config, started, write
from tests.chaos.load import Load, until
from tests.chaos.meter import Meter
from tests.chaos.reading import Money, Reading
from tests.fakes.proxy import Proxy, proxied
from tests.servers import any_server, single

REQUESTS = 3
HOLD_LIFE_SECONDS = 30.0


async def die_in_the_dark(
    sidecar: Sidecar, meter: Meter, redis: Proxy, books: Reading, journal: Path | None
) -> Money:
    """Requests are admitted, Redis goes, they are answered, the process is killed, Redis is back.
    Gives what was reserved. A settlement is written down once Redis was given 50 ms to hear it."""
    callers = Load()
    meter.gate.clear()
    async with aiohttp.ClientSession() as session:
        asked = [
            asyncio.create_task(callers.ask(session, sidecar.url, "ann")) for _ in range(REQUESTS)
        ]
        await until(lambda: meter.in_flight == REQUESTS)
        before = books.money()
        await redis.cut()
        meter.gate.set()
        assert await asyncio.gather(*asked) == [200] * REQUESTS
    if journal:
        await until(lambda: written_down(journal) == REQUESTS)
    await sidecar.kill()
    await redis.mend()
    assert books.money() == before, "nothing was heard of it"
    return before


def written_down(journal: Path) -> int:
    """Entries in the file, if there is one."""
    files = [path for path in journal.iterdir() if path.is_file()]
    return sum(len(replayed(path.read_bytes())[0]) for path in files)


@pytest.mark.slow
@pytest.mark.parametrize("kept", [True, False], ids=["with a journal", "without one"])
async def test_what_redis_had_not_heard_is_settled_by_the_next_process(
    tmp_path: Path, kept: bool
) -> None:
    """With a journal to the micro-dollar; without one what was held stays counted, as unsettled."""
    journal = tmp_path / "journal"
    journal.mkdir()
    where = str(journal) if kept else ""
    with single(any_server(), tmp_path) as server, server.client() as client:
        books = Reading(client)
        async with Meter() as meter, proxied(server.url) as redis:
            write(tmp_path, config(meter, budgets=(budget(),)), redis.url)
            async with started(tmp_path, POD_NAME="shop-0", JOURNAL_DIR=where) as sidecar:
                held = await die_in_the_dark(
                    sidecar, meter, redis, books, journal if kept else None
                )
            assert held == Money(reserved=held.reserved)
            async with started(tmp_path, POD_NAME="shop-0", JOURNAL_DIR=where) as sidecar:
                billed = meter.billed
                await ask_once(sidecar)
                unsettled = 0 if kept else held.reserved
                settled = meter.billed - (0 if kept else billed)
                ends_as = Money(settled=settled, unsettled=unsettled)
                await until(lambda: books.money() == ends_as, HOLD_LIFE_SECONDS + 5)


async def ask_once(sidecar: Sidecar) -> None:
    """A process that nobody asks does not sweep what others left."""
    async with aiohttp.ClientSession() as session:
        assert await Load().ask(session, sidecar.url, "ann") == 200
