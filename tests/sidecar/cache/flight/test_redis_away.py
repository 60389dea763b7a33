"""Flights without Redis, or with one that comes and goes."""

import asyncio

from penstock_sidecar.redis_store import RedisStore
from tests.sidecar.cache.flight.hangar import (
    DOWN,
    REFUSED,
    Losing,
    Sidecar,
    followed,
    led_by,
    sidecars,
)


async def test_without_redis_one_of_a_sidecar_asks(cut_off: Sidecar) -> None:
    leader, other = cut_off.asks(), cut_off.asks()
    flight = await leader.flies()
    assert (flight.result, flight.fence) == ("led", None)
    await asyncio.sleep(0)
    assert other.waits
    await leader.fails(REFUSED)
    assert (await other.flies()).result == "took-over"


async def test_without_redis_a_sidecar_remembers_for_its_own(cut_off: Sidecar) -> None:
    leader, *others = [cut_off.asks() for _ in range(3)]
    await leader.flies()
    assert (await leader.keeps()).kept
    await followed(*others)


async def test_where_redis_goes_while_one_leads_his_own_still_get_his_answer(
    store: RedisStore,
) -> None:
    losing = Losing(store)
    async with sidecars(losing, 1) as (sidecar,):
        leader = sidecar.asks()
        await led_by(leader)
        other = sidecar.asks()
        losing.away = True
        assert (await leader.keeps()).kept
        await followed(other)


async def test_without_redis_failures_count_too(cut_off: Sidecar) -> None:
    first, second, *others = [cut_off.asks() for _ in range(5)]
    await first.flies()
    await first.fails(DOWN)
    await second.fails(DOWN)
    assert [(await each.flies()).result for each in others] == ["alone"] * 3


async def test_a_sidecar_that_loses_redis_waits_no_longer_than_for_a_dead_leader(
    store: RedisStore, two: tuple[Sidecar, ...]
) -> None:
    losing = Losing(store)
    async with sidecars(losing, 1) as (cut_off,):
        await led_by(two[0].asks())
        other = cut_off.asks()
        await cut_off.looks()
        losing.away = True
        flight = await other.flies()
        assert (flight.result, flight.fence) == ("took-over", None)


async def test_a_late_reply_is_asked_for_again(store: RedisStore) -> None:
    """It may have made a leader of who joined: what he asks again leads on."""
    losing = Losing(store, late=1)
    async with sidecars(losing, 1) as (sidecar,):
        leader = sidecar.asks()
        await led_by(leader)
        assert losing.commands.count(("begin",)) == 2
        assert (await leader.keeps()).kept
