"""How a leader may end, and what those do then who waited for him."""

import asyncio
from itertools import pairwise
from typing import cast

import pytest

from penstock_sidecar.cache.flight.times import AS_SHIPPED
from penstock_sidecar.errors import OutOfTime, SidecarError
from penstock_sidecar.redis_store import RedisStore
from tests.sidecar.cache.flight.hangar import (
    DOWN,
    REFUSED,
    Sidecar,
    followed,
    key_of,
    led_by,
)
from tests.sidecar.redis_store.conftest import until_it


@pytest.mark.parametrize("error", [REFUSED, DOWN], ids=type)
async def test_an_error_is_the_leaders_own_and_the_next_one_leads(
    error: SidecarError, two: tuple[Sidecar, ...]
) -> None:
    leader = two[0].asks()
    former = await led_by(leader)
    here, elsewhere = two[0].asks(), two[1].asks()
    await two[1].looks()
    await leader.fails(error)
    assert leader.task.exception() is error
    flight = await here.flies()
    assert flight.result == "took-over"
    assert flight.fence
    assert former.fence
    assert flight.fence.number > former.fence.number
    await here.keeps()
    await followed(elsewhere)


async def test_who_follows_elsewhere_takes_over_too(two: tuple[Sidecar, ...]) -> None:
    leader = two[0].asks()
    await led_by(leader)
    other = two[1].asks()
    await two[1].looks()
    await leader.fails(REFUSED)
    assert (await other.flies()).result == "took-over"


async def test_a_leader_who_leaves_hands_over(two: tuple[Sidecar, ...]) -> None:
    leader = two[0].asks()
    await led_by(leader)
    other = two[1].asks()
    await two[1].looks()
    await leader.leaves()
    assert (await other.flies()).result == "took-over"


async def test_any_number_of_refusals_is_handed_on_in_order(two: tuple[Sidecar, ...]) -> None:
    """A refusal takes no time: nobody goes alone for it."""
    crew = [two[0].asks() for _ in range(6)]
    for leader, successor in pairwise(crew):
        await leader.flies()
        assert successor.waits
        await leader.fails(REFUSED)
    assert (await crew[-1].flies()).result == "took-over"


@pytest.mark.parametrize("error", [DOWN, OutOfTime("too late"), RuntimeError("ours")], ids=type)
async def test_after_two_failures_nobody_waits_any_more(
    error: Exception, two: tuple[Sidecar, ...]
) -> None:
    first, second = two[0].asks(), two[0].asks()
    others = [two[number % 2].asks() for number in range(6)]
    await first.fails(error)
    await second.fails(error)
    for each in others:
        assert (await each.flies()).result == "alone"
    assert (await two[1].asks().flies()).result == "alone"


async def test_what_is_not_kept_lets_all_go_at_once_and_those_who_come_then(
    two: tuple[Sidecar, ...],
) -> None:
    leader = two[0].asks()
    await led_by(leader)
    others = [sidecar.asks() for sidecar in two * 3]
    await leader.ends()
    for each in (*others, two[0].asks(), two[1].asks()):
        flight = await each.flies()
        assert (flight.result, flight.fence, flight.hit) == ("alone", None, None)


async def test_after_a_while_they_wait_again(store: RedisStore, two: tuple[Sidecar, ...]) -> None:
    leader = two[0].asks()
    await led_by(leader)
    await leader.ends()
    key = await key_of(leader)
    left_ms = cast("int", await store.command("PTTL", key))
    assert 0 < left_ms <= AS_SHIPPED.most_alone * 1000
    await store.command("DEL", key)
    await led_by(two[1].asks())


@pytest.mark.parametrize(("lasted", "alone"), [(0.0, 1), (0.5, 5), (3, 30), (20, 60)], ids=str)
def test_the_longer_it_was_waited_for_nothing_the_longer_nobody_waits(
    lasted: float, alone: float
) -> None:
    """Ten times, from a second to a minute."""
    assert AS_SHIPPED.alone(lasted) == alone


async def test_a_leader_who_knows_that_nothing_will_be_kept_says_so_at_once(
    two: tuple[Sidecar, ...],
) -> None:
    leader = two[0].asks()
    flight = await led_by(leader)
    others = [sidecar.asks() for sidecar in two]
    flight.foreseen = lambda: "unkept"
    for each in others:
        assert (await each.flies()).result == "alone"
    assert not leader.task.done()


async def test_one_whom_another_model_answers_hands_over_at_once(two: tuple[Sidecar, ...]) -> None:
    """A downgrade may be his user's alone. When it is the next one's too, nobody waits more."""
    first, second, *others = [two[0].asks() for _ in range(5)]
    for leader, after in ((first, second), (second, others[0])):
        flight = await leader.flies()
        assert after.waits
        flight.foreseen = lambda: "failed"
        await after.flies()
        assert not leader.task.done()
    assert [(await each.flies()).result for each in others] == ["alone"] * 3


async def test_a_beating_leader_is_waited_for_longer_than_he_may_be_silent(
    two: tuple[Sidecar, ...],
) -> None:
    leader = two[0].asks()
    await led_by(leader)
    other = two[1].asks()
    await asyncio.sleep(2 * AS_SHIPPED.lease)
    assert other.waits
    await leader.keeps()
    await followed(other)


async def test_a_silent_leader_is_replaced_and_can_keep_nothing_more(
    two: tuple[Sidecar, ...],
) -> None:
    """What he brings after all, is too late; who waited behind him gets what is kept now."""
    silent = two[0].asks()
    await led_by(silent)
    behind, successor = two[0].asks(), two[1].asks()
    await two[0].flights.close()
    assert (await successor.flies()).result == "took-over"
    assert not (await silent.keeps()).kept
    assert behind.waits
    assert (await successor.keeps()).kept
    await followed(behind)


async def test_a_leader_whose_beats_are_lost_goes_on_if_nobody_else_has_led(
    store: RedisStore, two: tuple[Sidecar, ...]
) -> None:
    """As when Redis restarts without its data."""
    leader = two[0].asks()
    number = (await led_by(leader)).fence
    await store.command("DEL", await key_of(leader))

    async def beats() -> bool:
        return await store.command("HGET", await key_of(leader), "owner") is not None

    await until_it(beats)
    other = two[1].asks()
    await two[1].looks()
    flight = await leader.keeps()
    assert flight.kept
    assert flight.fence
    assert number
    assert flight.fence.number > number.number
    await followed(other)
