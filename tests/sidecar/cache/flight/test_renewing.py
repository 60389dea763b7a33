"""One of all sidecars asks anew for what is kept."""

import pytest

from penstock_sidecar.cache.flight import Flight
from penstock_sidecar.cache.flight.times import AS_SHIPPED
from penstock_sidecar.cache.memory import BELIEVED_SECONDS
from tests.sidecar.cache.flight.hangar import DOWN, Asking, Sidecar, followed


async def kept(sidecar: Sidecar) -> Asking:
    asking = sidecar.asks()
    await asking.keeps()
    return asking


async def renews(sidecar: Sidecar, asking: Asking) -> bool:
    """It would, and leaves it at that."""
    async with sidecar.flights.renewing(asking.question) as ours:
        return ours


async def test_one_of_all_renews_and_the_others_find_what_is_kept(
    two: tuple[Sidecar, ...],
) -> None:
    asking = await kept(two[0])
    async with two[0].flights.renewing(asking.question) as ours:
        assert ours
        for sidecar in two:
            assert not await renews(sidecar, asking)
            assert await sidecar.cache.lookup(asking.question)


async def test_what_has_just_been_renewed_is_not_renewed_by_those_who_have_not_heard(
    two: tuple[Sidecar, ...],
) -> None:
    """They remember the former answer, whose time is nearly over, for a moment."""
    asking = await kept(two[0])
    assert await renews(two[0], asking)
    assert not await renews(two[1], asking)
    assert not await renews(two[0], asking)
    assert AS_SHIPPED.renewed > BELIEVED_SECONDS


async def test_where_a_renewal_fails_the_next_one_may_try(two: tuple[Sidecar, ...]) -> None:
    asking = await kept(two[0])

    async def failing() -> None:
        async with two[0].flights.renewing(asking.question) as ours:
            assert ours
            raise DOWN

    with pytest.raises(type(DOWN)):
        await failing()
    assert await renews(two[1], asking)


async def test_who_comes_while_an_answer_is_renewed_that_is_gone_waits_for_it(
    two: tuple[Sidecar, ...],
) -> None:
    """What comes is kept as any answer, past the flight."""
    asking = two[0].asks("gone")
    await asking.leaves()
    async with two[0].flights.renewing(asking.question) as ours:
        assert ours
        others = [sidecar.asks("gone") for sidecar in two]
        await two[1].looks()
        await two[0].keeps(asking.question, Flight())
    await followed(*others)


async def test_without_redis_nothing_is_renewed(cut_off: Sidecar) -> None:
    asking = cut_off.asks()
    await asking.leaves()
    assert not await renews(cut_off, asking)
    assert (await cut_off.asks().flies()).result == "led"
