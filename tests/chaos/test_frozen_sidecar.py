"""A sidecar stands still for longer than its holds live, and then goes on."""

import asyncio
from pathlib import Path

import pytest

from penstock_config.budget import Amounts
from tests.chaos.house import PLENTY, House, budget, config, house, per_app, write
from tests.chaos.load import Load, until
from tests.chaos.meter import Meter
from tests.chaos.reading import Money, Reading
from tests.servers import any_server, single

SLOTS = 2
HOLD_LIFE_US = 30_000_000
FROZEN_US = 40_000_000
RETRY_SECONDS = 0.25


async def take_all(house: House, place: int, load: Load) -> list["asyncio.Task[int]"]:
    """As many requests at one sidecar as there are slots; each asks until it is admitted."""
    url = house.sidecars[place].url

    async def ask(user: str) -> int:
        while True:
            if (status := await load.ask(house.session, url, user)) != 429:
                return status
            await asyncio.sleep(RETRY_SECONDS)

    return [asyncio.create_task(ask(f"user-{n}")) for n in range(SLOTS)]


@pytest.mark.slow
async def test_a_frozen_sidecars_slots_go_to_others_and_its_money_stays(tmp_path: Path) -> None:
    """SIGSTOP for 40 s with every slot taken: the other sidecar gets them when they expire, not
    before; the money is unsettled meanwhile. Then all requests end, once each, to the micro-dollar.
    """
    with single(any_server(), tmp_path) as server, server.client() as client:
        async with Meter() as meter:
            money = budget(per_user=Amounts(total=PLENTY))
            write(
                tmp_path, config(meter, (per_app(concurrent_requests=SLOTS),), (money,)), server.url
            )
            meter.gate.clear()
            async with house(tmp_path, 2) as sidecars:
                await freeze_and_thaw(sidecars, meter, Reading(client))


async def freeze_and_thaw(sidecars: House, meter: Meter, books: Reading) -> None:
    first, callers = sidecars.sidecars[0], Load()
    asked = await take_all(sidecars, 0, callers)
    await until(lambda: meter.in_flight == SLOTS)
    held = books.money().reserved
    assert held > 0
    first.freeze()
    frozen_us = books.now_us()
    asked += await take_all(sidecars, 1, callers)
    await until(lambda: meter.in_flight == 2 * SLOTS, 45)
    assert books.now_us() - frozen_us >= HOLD_LIFE_US * 2 / 3 - 1e6
    assert books.slots() == SLOTS
    assert books.money() == Money(reserved=held, unsettled=held), "the same requests twice"
    await until(lambda: books.now_us() - frozen_us >= FROZEN_US)
    first.thaw()
    await until(lambda: first.times_said("limits.lease_overrun") > 0)
    await until(lambda: books.money() == Money(reserved=2 * held))
    assert books.slots() == SLOTS, "the house was full"
    meter.gate.set()
    assert await asyncio.gather(*asked) == [200] * 2 * SLOTS
    await until(lambda: books.money().reserved == 0 and books.slots() == 0)
    assert books.money() == Money(settled=meter.billed)
    users = sorted(money.settled for money in books.users().values())
    assert users == sorted(callers.spent.values())
    assert len(meter.arrivals) == 2 * SLOTS
