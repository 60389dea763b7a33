"""Requests that ask the same at the same time, at one sidecar and at several."""

import asyncio
from pathlib import Path

import pytest

from penstock_config.credentials import RedisAccess
from penstock_sidecar.model import CacheControl
from penstock_sidecar.redis_store import RedisStore
from tests.servers import any_server, cluster
from tests.sidecar.cache.flight.hangar import (
    REFUSED,
    Sidecar,
    followed,
    led_by,
    sidecars,
)
from tests.sidecar.redis_store.conftest import opened


async def test_the_first_leads_and_the_others_get_what_he_keeps(two: tuple[Sidecar, ...]) -> None:
    leader = two[0].asks()
    await led_by(leader)
    others = [sidecar.asks() for sidecar in two * 3]
    await two[1].looks()
    assert (await leader.keeps()).kept
    await followed(*others)


async def test_nobody_waits_for_another_question(two: tuple[Sidecar, ...]) -> None:
    await led_by(two[0].asks("one thing"))
    await led_by(two[0].asks("another"))
    await led_by(two[1].asks("a third"))


async def test_one_of_each_sidecar_looks_at_the_flight(store: RedisStore) -> None:
    async with sidecars(store, 2) as (first, second):
        await led_by(first.asks())
        others = [second.asks() for _ in range(10)]
        await second.looks()
        assert all(asking.waits for asking in others)
        assert second.store.commands.count(("begin",)) == 1


async def test_an_answer_that_came_since_the_lookup_is_a_hit_without_waiting(
    two: tuple[Sidecar, ...],
) -> None:
    await two[0].asks().keeps()
    late = await two[1].asks().flies()
    assert late.hit
    assert (late.result, late.waited_seconds) == ("", 0)


async def test_an_answer_that_does_not_do_is_asked_for_again(two: tuple[Sidecar, ...]) -> None:
    """It is too old for the caller; others like him wait for him."""
    await two[0].asks().keeps()
    choosy = CacheControl(max_age_seconds=60)
    two[0].clock.now += 80
    leader = two[0].asks(control=choosy)
    await led_by(leader)
    other = two[1].asks(control=choosy)
    await two[1].looks()
    assert (await leader.keeps()).kept
    await followed(other)


async def test_who_has_waited_to_his_deadline_goes_alone(two: tuple[Sidecar, ...]) -> None:
    """Others wait on, here and elsewhere; one of them looks now."""
    leader = two[0].asks()
    await led_by(leader)
    hasty = [two[0].asks(seconds=0.05), two[1].asks(seconds=0.05)]
    patient = [two[0].asks(), two[1].asks()]
    for each in hasty:
        assert (await each.flies()).result == "alone"
    await two[1].looks()
    assert all(each.waits for each in patient)
    await leader.keeps()
    await followed(*patient)


async def test_one_who_leaves_while_he_waits_changes_nothing(two: tuple[Sidecar, ...]) -> None:
    leader = two[0].asks()
    await led_by(leader)
    impatient = [two[0].asks(), two[1].asks()]
    patient = [two[0].asks(), two[1].asks()]
    await two[1].looks()
    for each in impatient:
        await each.leaves()
    await leader.keeps()
    await followed(*patient)


async def test_one_who_leaves_just_when_it_is_his_turn_passes_it_on(
    two: tuple[Sidecar, ...],
) -> None:
    leader = two[0].asks()
    await led_by(leader)
    leaver, next_one = two[0].asks(), two[0].asks()
    await asyncio.sleep(0)
    leader.task.add_done_callback(lambda _: leaver.task.cancel())
    await leader.fails(REFUSED)
    assert (await next_one.flies()).result == "took-over"
    assert leaver.task.cancelled()


@pytest.mark.parametrize(
    "control",
    [
        CacheControl(no_cache=True),
        CacheControl(no_store=True),
        CacheControl(store_seconds=0),
        CacheControl(max_age_seconds=0),
        CacheControl(only_if_cached=True),
    ],
    ids=repr,
)
async def test_who_may_not_look_up_or_store_neither_leads_nor_waits(
    control: CacheControl, two: tuple[Sidecar, ...]
) -> None:
    stricter = two[0].asks(control=control)
    assert (await stricter.flies()).result == ""
    leader = two[0].asks()
    await led_by(leader)
    assert (await two[1].asks(control=control).flies()).result == ""


async def test_a_cluster_has_all_of_a_flight_in_one_place(tmp_path: Path) -> None:
    with cluster(any_server(), tmp_path) as three:
        access = RedisAccess(url=three.url)
        async with opened(access, deadline_seconds=30) as store, sidecars(store, 2) as (one, two):
            for text in ("a", "b", "c", "d"):
                leader, other = one.asks(text), two.asks(text)
                await leader.flies()
                await two.looks()
                assert (await leader.keeps()).kept
                await followed(other)
