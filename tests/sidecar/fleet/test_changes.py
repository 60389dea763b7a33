"""Changes of models at replicas: one at a time, who leaves goes first, and none lasts for ever."""

import asyncio
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_config.fleet import Fleet
from penstock_config.provider import Managed, Model, Provider
from penstock_sidecar.fleet.changes import (
    LOAD_GRACE_SECONDS,
    LOAD_TIMES,
    SURE_SECONDS,
    Changes,
    Rules,
)
from penstock_sidecar.fleet.fleet import AVOIDED_SECONDS, LiveFleet, Wanted
from penstock_sidecar.fleet.tally import LASTING_SECONDS
from tests.sidecar.fleet.world import SERVICE, Callers, fleet_of, live, replica, settle
from tests.sidecar.routing.builders import ManualClock

LOAD_SECONDS = 2.0
TURNS = Managed(on_demand=True, memory_bytes=10, headroom_bytes=2)
SIZES = {"a": 8, "b": 8, "c": 4, "d": 3, "unknown": None}
LONG = LOAD_TIMES * LOAD_SECONDS + LOAD_GRACE_SECONDS


def provider(managed: Managed = TURNS) -> Provider:
    models = tuple(
        Model(
            name=name,
            upstream_name=name,
            capabilities=("chat",),
            vram_bytes=size,
            load_seconds=LOAD_SECONDS,
        )
        for name, size in SIZES.items()
    )
    return Provider(
        id="team/ollama",
        type="ollama",
        base_url=SERVICE,
        needs_key=False,
        models=models,
        managed=managed,
    )


def taking_turns(clock: ManualClock | None = None) -> LiveFleet:
    fleet = live(clock)
    fleet.changes = Changes.of(provider(), None)
    return fleet


def told(*loaded: str, names: Sequence[str] = ("r1",)) -> Fleet:
    return fleet_of(*(replica(name, *SIZES, loaded=loaded) for name in names))


def want(model: str, parallel: int | None = 4) -> Wanted:
    return Wanted(f"team/ollama/{model}", model, parallel, LOAD_SECONDS)


def models_of(callers: Callers) -> list[str]:
    return [seat.model for seat in callers.seats.values()]


@pytest.mark.parametrize(
    "managed",
    [None, Managed(), Managed(on_demand=True), Managed(memory_bytes=10)],
)
def test_without_a_word_of_it_or_of_memory_no_turns_are_taken(managed: Managed | None) -> None:
    assert Rules.of(provider().model_copy(update={"managed": managed})) is None


def test_a_new_configuration_leaves_what_is_under_way() -> None:
    first = Changes.of(provider(), None)
    assert first
    larger = provider(TURNS.model_copy(update={"memory_bytes": 20}))
    assert Changes.of(larger, first) is first
    assert first.rules.memory.size == 20
    assert Changes.of(provider(Managed()), first) is None


async def test_a_model_waits_until_the_one_that_must_leave_has_answered() -> None:
    clock = ManualClock()
    fleet = taking_turns(clock)
    fleet.heard(told("a"))
    callers = Callers(fleet)
    await callers.come(0, want("a"))
    for who in range(1, 10):
        await callers.come(who, want("b"))
    clock.now += 1
    await callers.come(10, want("a"))
    assert models_of(callers) == ["a"]  # `a` is closed to who comes now
    await callers.go(0)
    assert models_of(callers) == ["b"] * 4
    for who in range(1, 11):
        await callers.cancel(who)


async def test_a_single_request_does_not_push_out_what_is_asked_for() -> None:
    clock = ManualClock()
    fleet = taking_turns(clock)
    fleet.heard(told("a"))
    callers = Callers(fleet)
    until = asyncio.get_running_loop().time() + 100
    await callers.come(0, want("a"))
    await callers.come(1, want("b"), until)
    await callers.come(2, want("a"))
    assert models_of(callers) == ["a", "a"]
    clock.now += 51
    fleet.heard(told("a"))
    clock.now += 1
    await callers.come(3, want("a"))
    assert models_of(callers) == ["a", "a"]  # half of the time of `b` is gone: nobody else enters
    await callers.go(0)
    await callers.go(2)
    assert models_of(callers) == ["b"]
    for who in (1, 3):
        await callers.cancel(who)


async def test_models_that_need_not_leave_answer_on() -> None:
    fleet = taking_turns()
    fleet.heard(told("c"))
    callers = Callers(fleet)
    await callers.come(0, want("d"))
    await callers.come(1, want("c"))
    await callers.come(2, want("unknown"))
    assert models_of(callers) == ["d", "c", "unknown"]
    assert [seat.kind for seat in callers.seats.values()] == ["unloaded", "loaded", "unloaded"]
    for who in range(3):
        await callers.go(who)


async def test_one_change_at_a_time_until_the_first_answer() -> None:
    fleet = taking_turns()
    fleet.heard(told())
    callers = Callers(fleet)
    await callers.come(0, want("c"))
    await callers.come(1, want("d"))
    assert models_of(callers) == ["c"]
    fleet.answered(callers.seats[0])
    await settle()
    assert models_of(callers) == ["c", "d"]
    await callers.go(0)
    await callers.go(1)


@pytest.mark.parametrize("end", ["told", "left", "late"])
async def test_a_change_is_over_when_it_is_done_or_given_up(end: str) -> None:
    clock = ManualClock()
    fleet = taking_turns(clock)
    fleet.heard(told())
    callers = Callers(fleet)
    await callers.come(0, want("c"))
    await callers.come(1, want("d"))
    clock.now += LONG
    fleet.heard(told())
    await settle()
    assert models_of(callers) == ["c"]
    if end == "left":
        await callers.cancel(0)
    else:
        clock.now += 0.1
        fleet.heard(told("c") if end == "told" else told())
    await settle()
    assert "d" in models_of(callers)
    for who in [*callers.tasks]:
        await callers.cancel(who)


async def test_a_redis_that_is_silent_does_not_keep_a_change_for_ever() -> None:
    clock = ManualClock()
    fleet = taking_turns(clock)
    fleet.heard(told())
    callers = Callers(fleet)
    await callers.come(0, want("c"))
    await callers.come(1, want("d"))
    clock.now += LONG + 0.1
    fleet.unheard()
    await settle()
    assert len(callers.seats) == 2
    for who in (0, 1):
        await callers.go(who)


async def test_what_was_seen_here_holds_until_the_operator_can_have_seen_it() -> None:
    clock = ManualClock()
    fleet = taking_turns(clock)
    fleet.heard(told("a"))
    callers = Callers(fleet)
    await callers.come(0, want("b"))
    fleet.answered(callers.seats[0])
    await callers.go(0)
    fleet.heard(told("a"))  # as it was before
    await callers.come(1, want("b"))
    assert callers.seats[1].kind == "loaded"
    clock.now += SURE_SECONDS
    fleet.heard(told("a"))  # somebody else has had it loaded since
    await callers.come(2, want("a"))
    assert callers.seats[2].kind == "loaded"
    for who in (1, 2):
        await callers.go(who)


async def test_a_model_that_is_wanted_no_more_lets_the_other_stay() -> None:
    clock = ManualClock()
    fleet = taking_turns(clock)
    fleet.heard(told("a"))
    callers = Callers(fleet)
    await callers.come(0, want("a"))
    for who in range(1, 10):
        await callers.come(who, want("b"))
    clock.now += 1
    await callers.come(10, want("a"))
    assert models_of(callers) == ["a"]
    for who in range(1, 10):
        await callers.cancel(who)
    assert models_of(callers) == ["a", "a"]
    for who in (0, 10):
        await callers.go(who)


async def test_a_replica_that_fails_is_not_changed_for_those_who_go_elsewhere() -> None:
    clock = ManualClock()
    fleet = taking_turns(clock)
    fleet.heard(told("a", names=("r1", "r2")))
    callers = Callers(fleet)
    await callers.come(0, want("b"))
    first = callers.seats[0].replica
    fleet.avoid(callers.seats[0])
    await callers.go(0)
    await callers.come(1, want("b"))
    assert callers.seats[1].replica != first
    await callers.come(2, want("a"))
    clock.now += AVOIDED_SECONDS + SURE_SECONDS
    fleet.heard(told("a", names=("r1", "r2")))
    await settle()
    assert models_of(callers) == ["b", "a"]
    for who in (1, 2):
        await callers.go(who)


async def test_without_a_roster_the_service_answers_all() -> None:
    fleet = taking_turns()
    callers = Callers(fleet)
    for who, model in enumerate("abc"):
        await callers.come(who, want(model))
    assert [seat.kind for seat in callers.seats.values()] == ["service"] * 3
    for who in range(3):
        await callers.go(who)


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["come", "come", "go", "cancel", "answer", "hear", "wait"]),
        st.integers(0, 9),
    ),
    max_size=60,
)


@given(moves=MOVES, parallel=st.integers(1, 3))
def test_only_one_model_is_loaded_at_a_time_and_nothing_is_left_behind(
    moves: list[tuple[str, int]], parallel: int
) -> None:
    asyncio.run(_moved(moves, parallel))


async def _moved(moves: list[tuple[str, int]], parallel: int) -> None:
    """Replicas whose memory is as we take it to be."""
    clock = ManualClock()
    fleet = taking_turns(clock)
    names = ("r1", "r2")
    fleet.heard(told("a", names=names))
    callers = Callers(fleet)
    for who, (move, number) in enumerate(moves):
        await _move(fleet, callers, clock, (who, move, number, parallel))
        seated = [(seat.replica, seat.model) for seat in callers.seats.values()]
        assert all(seated.count(each) <= parallel for each in seated)
    for who in [*callers.tasks]:
        await callers.cancel(who)
    fleet.heard(told("a", names=names))
    assert fleet.changes
    assert not any(fleet.changes.under_way(name) for name in names)
    clock.now += LASTING_SECONDS
    demand = fleet.demand()
    assert (demand.in_flight, demand.waiting, fleet._lines) == ({}, {}, {})
    assert (dict(fleet._in_flight), dict(fleet._under_way)) == ({}, {})


async def _move(
    fleet: LiveFleet, callers: Callers, clock: ManualClock, what: tuple[int, str, int, int]
) -> None:
    who, move, number, parallel = what
    before = {id(seat) for seat in callers.seats.values()}
    waiting = [w for w in callers.tasks if move == "cancel" or w in callers.seats]
    match move:
        case "come":
            await callers.come(who, want("abcd"[number % 4], parallel))
        case "hear":
            fleet.heard(told("a", names=("r1", "r2")))
        case "wait":
            clock.now += number
        case "answer" if waiting:
            fleet.answered(callers.seats[waiting[number % len(waiting)]])
        case "go" | "cancel" if waiting:
            chosen = waiting[number % len(waiting)]
            await (callers.cancel(chosen) if move == "cancel" else callers.go(chosen))
    await settle()
    new = [s for s in callers.seats.values() if id(s) not in before and s.kind == "unloaded"]
    for name in ("r1", "r2"):
        loading = {seat.model for seat in new if seat.replica == name}
        change = fleet.changes.under_way(name) if fleet.changes else None
        assert len(loading) <= 1
        assert not loading or (change and {change.model.removesuffix(":latest")} == loading)


@given(
    arrivals=st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abcd")), max_size=20),
    parallel=st.integers(1, 4),
)
def test_every_request_is_answered_in_time_though_one_model_is_always_asked_for(
    arrivals: list[tuple[int, str]], parallel: int
) -> None:
    asyncio.run(_answered_in_time(arrivals, parallel))


async def _answered_in_time(arrivals: list[tuple[int, str]], parallel: int) -> None:
    """All that have seats are answered each second: one at least, so 80 have time enough."""
    clock = ManualClock()
    fleet = taking_turns(clock)
    fleet.heard(told("a"))
    callers, timeout = Callers(fleet), 120.0
    until = asyncio.get_running_loop().time() + timeout
    came: dict[int, float] = {}
    for second in range(110):
        new = [model for at, model in arrivals if at == second] + ["a"] * (second < 60)
        for model in new:
            came[len(came)] = clock.now
            await callers.come(len(came) - 1, want(model, parallel), until)
        for who, seat in [*callers.seats.items()]:
            fleet.answered(seat)
            await callers.go(who)
        clock.now += 1
        fleet.heard(told())
        await settle()
        assert all(clock.now - came[who] < timeout for who in callers.tasks)
    assert not callers.tasks


async def test_time_without_end_is_no_reason_to_wait_for_ever() -> None:
    fleet = taking_turns()
    fleet.heard(told("a"))
    callers = Callers(fleet)
    await callers.come(0, want("b"), math.inf)
    assert models_of(callers) == ["b"]
    await callers.go(0)
