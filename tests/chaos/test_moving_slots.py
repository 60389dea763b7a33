"""Slots of a Cluster move under load, half-way states included: nothing lost, nothing doubled."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import RedisCluster

from penstock_config.budget import Amounts
from penstock_config.layout import Group
from penstock_config.provider import RateLimits
from penstock_config.schema import SidecarConfig
from tests.chaos.house import PLENTY, budget, config, house, per_app, write
from tests.chaos.load import Load, load, until
from tests.chaos.meter import Meter
from tests.chaos.reading import BUDGET, CLOUD, TEAM, Money, Reading
from tests.planes.plane import NAMESPACE
from tests.servers import Cluster, any_server, cluster

SIDECARS = 2
MANY = 100_000
OWN_BUDGET = f"{NAMESPACE}/own"
BETWEEN = 50
"""Good answers before, between and after the moves."""
HALF_WAY = 20
"""Answers of any kind while a slot is half here, half there."""


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "redis"
    folder.mkdir()
    with cluster(any_server(), folder) as running:
        yield running


def limited(meter: Meter) -> SidecarConfig:
    """Windows, slots and budgets in both groups, too wide to refuse anything."""
    wide = {"requests_per_minute": MANY, "concurrent_requests": MANY}
    team = budget(per_user=Amounts(total=PLENTY))
    own = budget(id=OWN_BUDGET, provider_wide=True, providers=(f"{NAMESPACE}/cloud",))
    return config(meter, (per_app(**wide),), (team, own), RateLimits(**wide))


async def move(three: Cluster, group: Group, callers: Load) -> None:
    """With load in each half-way state: ASK, TRYAGAIN, then MOVED."""
    slot = Cluster.slot(group.state)
    target = three.other(slot)
    for step in ("open", "half"):
        await asyncio.to_thread(three.migrate_slot, slot, step, target)
        await callers.more_answers(HALF_WAY)
    await asyncio.to_thread(three.migrate_slot, slot, "done", target)
    assert three.owner(slot) is target


@pytest.mark.slow
async def test_slots_that_move_lose_nothing_and_double_nothing(
    tmp_path: Path, three: Cluster
) -> None:
    async with Meter() as meter:
        write(tmp_path, limited(meter), three.url)
        first = three.servers[0].port
        client = RedisCluster(host="127.0.0.1", port=first, decode_responses=True)
        books = Reading(client)
        async with house(tmp_path, SIDECARS) as sidecars:
            async with load(sidecars.session, sidecars.urls) as callers:
                for group in (TEAM, CLOUD, TEAM):
                    await callers.more(BETWEEN)
                    await move(three, group, callers)
                await callers.more(BETWEEN)
            await until(lambda: is_quiet(books))
        assert books.money(TEAM, BUDGET) == Money(settled=meter.billed)
        assert books.money(CLOUD, OWN_BUDGET) == Money(settled=meter.billed)
        assert books.in_window("rpm60", TEAM) == books.in_window("rpm60", CLOUD)
        assert books.in_window("rpm60", TEAM) == len(meter.arrivals) == callers.seen[200]
        users = sorted(money.settled for money in books.users().values())
        assert users == sorted(callers.spent.values())
        client.close()
    assert callers.seen.keys() <= {200, 503}, callers.seen


def is_quiet(books: Reading) -> bool:
    reserved = books.money(TEAM, BUDGET).reserved + books.money(CLOUD, OWN_BUDGET).reserved
    return reserved == 0 and books.slots() == 0
