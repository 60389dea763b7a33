"""Seats of a fleet: never more than there are, in order, and all of them come back."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_config.fleet import FLEET_EXPIRY_SECONDS
from penstock_sidecar.errors import UpstreamConnectTooLate, UpstreamCrowded, UpstreamStarting
from penstock_sidecar.fleet import fleet as fleets
from penstock_sidecar.fleet.fleet import AVOIDED_SECONDS, Wanted
from penstock_sidecar.fleet.tally import LASTING_SECONDS
from tests.sidecar.fleet.world import (
    LLAMA,
    Callers,
    Heard,
    fleet_of,
    live,
    replica,
    settle,
    wanted,
)
from tests.sidecar.routing.builders import ManualClock


async def test_seats_are_given_in_the_order_of_coming() -> None:
    fleet = live()
    fleet.heard(fleet_of(replica("r1")))
    callers = Callers(fleet)
    for who in range(4):
        await callers.come(who)
    assert [*callers.seats] == [0]
    await callers.go(0)
    assert [*callers.seats] == [1]
    await callers.cancel(2)
    await callers.go(1)
    assert [*callers.seats] == [3]
    await callers.go(3)


async def test_models_do_not_wait_for_each_other() -> None:
    fleet = live()
    fleet.heard(fleet_of(replica("r1", LLAMA, "phi")))
    callers = Callers(fleet)
    await callers.come(0)
    await callers.come(1)
    await callers.come(2, wanted(model="phi"))
    assert [*callers.seats] == [0, 2]
    assert callers.seats[2].address == "http://10.0.0.1:11434"
    for who in (0, 1, 2):
        await callers.cancel(who)


async def test_a_replica_that_appears_serves_those_who_wait() -> None:
    observer = Heard()
    fleet = live(observer=observer)
    fleet.heard(fleet_of(replica("r1", ready=False)))
    callers = Callers(fleet)
    for who in range(3):
        await callers.come(who, wanted(parallel=2))
    assert (callers.seats, dict(fleet.demand().waiting), observer.starts) == ({}, {LLAMA: 3}, 1)
    fleet.heard(fleet_of(replica("r1"), replica("r2", "phi")))
    await settle()
    assert [*callers.seats] == [0, 1]
    assert {seat.replica for seat in callers.seats.values()} == {"r1"}
    assert (observer.ready, observer.taken) == ([0, 2], ["started", "started"])
    for who in (0, 1, 2):
        await callers.go(who)


async def test_whoever_waits_goes_to_the_service_when_nobody_tells_of_replicas_any_more() -> None:
    fleet = live()
    fleet.heard(fleet_of())
    callers = Callers(fleet)
    await callers.come(0)
    fleet.heard(None)
    await settle()
    assert (callers.seats[0].kind, callers.seats[0].address) == ("service", "")
    await callers.go(0)


async def test_what_redis_said_last_holds_for_a_while() -> None:
    clock = ManualClock()
    fleet = live(clock)
    fleet.heard(fleet_of(replica("r1")))
    clock.now += FLEET_EXPIRY_SECONDS
    fleet.unheard()
    assert fleet.situation(LLAMA)
    clock.now += 0.1
    fleet.unheard()
    assert fleet.situation(LLAMA) is None


async def test_a_seat_that_comes_as_its_caller_leaves_goes_to_the_next() -> None:
    fleet = live()
    fleet.heard(fleet_of(replica("r1")))
    callers = Callers(fleet)
    for who in range(3):
        await callers.come(who)
    seat = callers.seats[0]
    waits = callers.tasks[1]
    seat.release()  # 1 has it now, and has yet to wake
    waits.cancel()
    await asyncio.wait({waits})
    await settle()
    assert 2 in callers.seats
    assert fleet.demand().in_flight == {LLAMA: 1}


async def test_time_that_runs_out_says_why() -> None:
    fleet, now = live(), asyncio.get_running_loop().time()
    fleet.heard(fleet_of(message="pulling it,\n43 %"))
    with pytest.raises(UpstreamStarting) as starting:
        await fleet.seat(wanted(), now)
    assert starting.value.public == (
        f"team/ollama/{LLAMA} has no replica that is ready: pulling it, 43 %"
    )
    assert starting.value.retry_after_seconds == 7.0
    fleet.heard(fleet_of(replica("r1")))
    assert await fleet.seat(wanted(), now)
    with pytest.raises(UpstreamConnectTooLate):
        await fleet.seat(wanted(), now)


async def test_a_line_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleets, "MAX_WAITING", 2)
    fleet = live()
    fleet.heard(fleet_of())
    callers = Callers(fleet)
    await callers.come(0)
    await callers.come(1)
    with pytest.raises(UpstreamCrowded):
        await fleet.seat(wanted(), asyncio.get_running_loop().time())
    await callers.cancel(0)
    await callers.cancel(1)


async def test_a_replica_that_fails_is_left_alone_for_a_while() -> None:
    clock = ManualClock()
    fleet, until = live(clock), asyncio.get_running_loop().time()
    fleet.heard(fleet_of(replica("r1", loaded=(LLAMA,)), replica("r2")))
    first = await fleet.seat(wanted(), until)
    assert first
    assert first.replica == "r1"
    fleet.avoid(first)
    first.release()
    second = await fleet.seat(wanted(), until)
    assert second
    assert second.replica == "r2"
    second.release()
    clock.now += AVOIDED_SECONDS
    again = await fleet.seat(wanted(), until)
    assert again
    assert again.replica == "r1"


async def test_who_was_refused_by_all_is_not_kept_waiting() -> None:
    fleet, until = live(), asyncio.get_running_loop().time() + 60
    fleet.heard(fleet_of(replica("r1"), replica("r2")))
    tried = Wanted("l", LLAMA, 1, tried=frozenset({"r1", "r2"}))
    assert await fleet.seat(tried, until) is None
    callers = Callers(fleet)
    await callers.come(0)
    await callers.come(1)
    taken = next(iter(callers.seats.values())).replica
    half = Wanted("l", LLAMA, 1, tried=frozenset({taken}))
    waits = asyncio.create_task(fleet.seat(half, until))
    await settle()
    fleet.heard(fleet_of(replica(taken)))
    assert await waits is None
    for who in (0, 1):
        await callers.go(who)


async def test_a_situation_tells_what_a_request_would_find() -> None:
    fleet = live()
    assert fleet.situation(LLAMA) is None
    fleet.heard(fleet_of(replica("r1", loaded=(LLAMA,)), replica("r2"), replica("r3", "phi")))
    assert (fleet.situation(LLAMA), fleet.in_front(LLAMA)) == ((2, 1), 0)
    assert fleet.situation("phi:latest") == (1, 0)
    callers = Callers(fleet)
    for who in range(3):
        await callers.come(who)
    assert fleet.in_front(LLAMA) == 2
    for who in range(3):
        await callers.go(who)
    assert fleet.in_front(LLAMA) == 0


async def test_of_what_all_sidecars_have_at_a_replica_ones_own_is_not_counted_twice() -> None:
    fleet = live()
    fleet.heard(fleet_of(replica("r1")))
    callers = Callers(fleet)
    await callers.come(0, wanted(4))
    fleet.told(fleet.demand())
    assert fleet.demand().at_replicas == {"r1": 1}
    ours = replica("r1").model_copy(update={"in_flight": 1})
    fleet.heard(fleet_of(ours, replica("r2").model_copy(update={"in_flight": 2})))
    await callers.come(1, wanted(4))
    assert [seat.replica for seat in callers.seats.values()] == ["r1", "r1"]
    for who in (0, 1):
        await callers.go(who)


MOVES = st.lists(
    st.tuples(st.sampled_from(["come", "go", "cancel", "hear"]), st.integers(0, 7)), max_size=40
)


@given(moves=MOVES, parallel=st.integers(1, 3))
def test_no_replica_is_overbooked_and_nothing_is_left_behind(
    moves: list[tuple[str, int]], parallel: int
) -> None:
    asyncio.run(_moved(moves, parallel))


async def _moved(moves: list[tuple[str, int]], parallel: int) -> None:
    clock = ManualClock()
    fleet = live(clock)
    fleet.heard(fleet_of())
    callers = Callers(fleet)
    for who, (move, number) in enumerate(moves):
        if move == "hear":
            ready = [replica(f"r{n}") for n in range(1, 4) if number & (1 << (n - 1))]
            fleet.heard(fleet_of(*ready))
            await settle()
        elif move == "come":
            await callers.come(who, wanted(parallel))
        elif waiting := [w for w in callers.tasks if move == "cancel" or w in callers.seats]:
            chosen = waiting[number % len(waiting)]
            await (callers.cancel(chosen) if move == "cancel" else callers.go(chosen))
        seated = [seat.replica for seat in callers.seats.values()]
        assert all(seated.count(name) <= parallel for name in seated)
        lined = [w for w in callers.tasks if w not in callers.seats]
        assert fleet.demand().waiting.get(LLAMA, 0) >= len(lined)
        situation = fleet.situation(LLAMA)
        assert situation
        names = fleet._roster.names if fleet._roster else ()
        free = situation.ready * parallel > sum(fleet._in_flight[name, LLAMA] for name in names)
        assert not (free and lined), "somebody waits although there is room"
    for who in [*callers.tasks]:
        await callers.cancel(who)
    clock.now += LASTING_SECONDS
    demand = fleet.demand()
    assert (demand.in_flight, demand.waiting, fleet._lines) == ({}, {}, {})
    assert not fleet._in_flight
    assert not fleet._under_way
