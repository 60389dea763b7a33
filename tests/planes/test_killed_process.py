"""A sidecar as it ships, killed with requests in flight: its slots come back, its money stays."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from penstock_cli.stub import Ok, StubProvider
from penstock_config.budget import Amounts, Budget
from penstock_config.layout import Group
from penstock_config.policy import CallerLimit
from penstock_config.provider import RateLimits
from penstock_config.schema import SidecarConfig
from penstock_sidecar.limits.ledger import HOLD_SECONDS
from tests.planes.plane import NAMESPACE, Files, chat
from tests.planes.shipped import running
from tests.sidecar.limits.books import Books

SLOTS = 2
BUDGET = f"{NAMESPACE}/money"
US = 1_000_000


def limited(files: Files) -> SidecarConfig:
    slots = CallerLimit(name="a", per="App", limits=RateLimits(concurrent_requests=SLOTS))
    money = Budget(id=BUDGET, limits=Amounts(daily=US))
    return files.config(limits=(slots,)).model_copy(update={"budgets": (money,)})


@asynccontextmanager
async def dying(folder: Path, main: StubProvider) -> AsyncIterator[None]:
    """A sidecar with every slot taken while the block runs; killed at its end."""
    main.always(Ok("never said", first=asyncio.Event()))
    async with aiohttp.ClientSession() as session, running(folder) as (process, ports):
        asking = [asyncio.create_task(ask(session, ports.application)) for _ in range(SLOTS)]
        await main.request(SLOTS)
        yield
        process.kill()
        assert await asyncio.gather(*asking) == [0] * SLOTS


async def ask(session: aiohttp.ClientSession, port: int) -> int:
    """The status, or 0 where the connection broke."""
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    try:
        async with session.post(url, json=chat(max_tokens=5)) as answer:
            return answer.status
    except aiohttp.ClientError:
        return 0


async def served_at_last(folder: Path, books: Books) -> int:
    """Asks the dead one's successor until it serves; Redis's time then, in microseconds."""
    async with aiohttp.ClientSession() as session, running(folder) as (_, ports):
        while True:
            if await ask(session, ports.application) == 200:
                return books.now_us()
            await asyncio.sleep(0.2)


@pytest.mark.slow
async def test_kill_dash_nine_costs_no_slot_for_longer_than_its_lease(
    tmp_path: Path, redis_url: str
) -> None:
    """AT5 with the lease as it ships: within 31 s of the kill the slots are free, and what was
    reserved is unsettled, so still counted."""
    books, group = Books(redis_url), Group.of_namespace("test", NAMESPACE)
    async with StubProvider() as main, StubProvider() as backup:
        files = Files(tmp_path, main, backup, redis_url)
        files.write(limited(files))
        async with dying(tmp_path, main):
            held = books.money(group, BUDGET)
            assert (books.slots(), held["S"], held["U"]) == (SLOTS, 0, 0)
        killed_us = books.now_us()
        assert len(books.slot_ends_us()) == SLOTS
        assert max(books.slot_ends_us()) <= killed_us + HOLD_SECONDS * US
        main.always(Ok("at last"))
        assert await served_at_last(tmp_path, books) <= killed_us + 31 * US
    assert books.money(group, BUDGET)["U"] == held["R"] > 0
    books.client.close()
