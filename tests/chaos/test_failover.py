"""A Sentinel pair fails over and forgets: what was never replicated is told again."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from penstock_config.budget import Amounts
from penstock_config.schema import SidecarConfig
from tests.chaos.figures import note
from tests.chaos.house import PLENTY, House, budget, config, house, per_app, write
from tests.chaos.load import Load, load, until
from tests.chaos.meter import Meter
from tests.chaos.reading import Money, Reading
from tests.servers import SentinelPair, Server, any_server, eventually, sentinel_pair
from tests.servers.sentinel import NAME

SIDECARS = 3
SLOTS = 4
BEFORE = 100
TAIL = 100
AFTER = 100
DOWN_AFTER_MS = 1500
"""A replica that was on its own for ten times as long would not be taken."""
KNOWN_WITHIN_SECONDS = 5.0


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[SentinelPair]:
    folder = tmp_path / "redis"
    folder.mkdir()
    with sentinel_pair(any_server(), folder) as running:
        yield running


def limited(meter: Meter) -> SidecarConfig:
    money = budget(limits=Amounts(total=PLENTY), per_user=Amounts(total=PLENTY))
    return config(meter, (per_app(concurrent_requests=SLOTS),), (money,))


def stop_replication(master: Server) -> None:
    """The replica's connection ends and it may not come back. A frozen replica would find the tail
    in its socket when it thaws."""
    master.call("ACL", "SETUSER", "default", "-psync", "-sync")
    master.call("CLIENT", "KILL", "TYPE", "REPLICA")
    eventually(lambda: not master.call("ROLE")[2], "a master on its own")


@asynccontextmanager
async def house_on(redis_url: str, folder: Path, meter: Meter) -> AsyncIterator[House]:
    write(folder, limited(meter), redis_url)
    async with house(folder, SIDECARS) as sidecars:
        yield sidecars


async def lose_the_tail(pair: SentinelPair, meter: Meter, callers: Load, books: Reading) -> Money:
    """Every slot is taken when the master dies, and much was spent that its replica never heard.
    Gives the books as they should be."""
    old = pair.master()
    for sentinel in pair.sentinels:
        sentinel.call("SENTINEL", "SET", NAME, "down-after-milliseconds", DOWN_AFTER_MS)
    await asyncio.to_thread(stop_replication, old)
    await callers.more(TAIL)
    meter.gate.clear()
    await until(lambda: meter.in_flight == SLOTS == books.slots())
    await until(lambda: books.money().settled == meter.billed)
    known = books.money()
    old.kill()
    await asyncio.to_thread(pair.wait_for_switch, old)
    return known


def covers(books: Reading, known: Money) -> bool:
    """Others may be served already, before all is told."""
    money = books.money()
    return money.settled >= known.settled and money.reserved >= known.reserved


@pytest.mark.slow
async def test_spend_slots_and_reservations_that_were_never_replicated_are_back(
    tmp_path: Path, pair: SentinelPair
) -> None:
    """Known again within 5 s of the switch, with requests in flight all the while; then exact."""
    old, new = pair.master(), pair.replica()
    async with Meter() as meter, house_on(pair.url, tmp_path, meter) as sidecars:
        with old.client() as old_client, new.client() as new_client:
            books = Reading(new_client)
            async with load(sidecars.session, sidecars.urls) as callers:
                await callers.more(BEFORE)
                known = await lose_the_tail(pair, meter, callers, Reading(old_client))
                forgotten = known.settled - books.money().settled
                seconds = await until(
                    lambda: covers(books, known) and books.slots() >= SLOTS, KNOWN_WITHIN_SECONDS
                )
                note(forgotten_micro_usd=forgotten, known_again_after_seconds=round(seconds, 2))
                meter.gate.set()
                await callers.more(AFTER)
            await until(lambda: books.money().reserved == 0 and books.slots() == 0)
            assert books.money() == Money(settled=meter.billed)
            users = sorted(money.settled for money in books.users().values())
            assert users == sorted(callers.spent.values())
    assert forgotten > 0, "or there was nothing to prove"
    assert meter.most_in_flight <= SLOTS + SLOTS, "the limit, and what was in flight at the loss"
