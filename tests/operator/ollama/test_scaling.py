"""How many replicas are wanted, over time."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_operator.api.ollama import Ollama
from penstock_operator.ollama.scaling import Load, Scale, first_scale, next_scale

IDLE = Load()


def ollama(**autoscaling: int) -> Ollama:
    scale = {"min": 1, "max": 8, "targetInFlightPerReplica": 4, "cooldownSeconds": 120}
    return Ollama.model_validate(
        {"models": [{"name": "m"}], "autoscaling": {**scale, **autoscaling}}
    )


def fixed(replicas: int | None) -> Ollama:
    return Ollama.model_validate(
        {"models": [{"name": "m"}]} | ({} if replicas is None else {"replicas": replicas})
    )


def over(
    spec: Ollama, scale: Scale, loads: Sequence[Load | None], *, start: float = 0, step: float = 2
) -> list[Scale]:
    """What is wanted after each load, one each `step` seconds."""
    found = []
    for number, load in enumerate(loads):
        scale = next_scale(spec, scale, load, start + number * step)
        found.append(scale)
    return found


@pytest.mark.parametrize(("replicas", "wanted"), [(None, 1), (0, 0), (3, 3)])
def test_without_autoscaling_the_number_is_the_users(replicas: int | None, wanted: int) -> None:
    spec = fixed(replicas)
    assert first_scale(spec, 7, 0).replicas == wanted
    assert next_scale(spec, Scale(7, 0), Load(99, 99), 10).replicas == wanted


def test_what_is_asked_for_is_there_at_once() -> None:
    assert next_scale(ollama(), Scale(1, 0), Load(7, 2), 10) == Scale(3, 10)
    assert next_scale(ollama(), Scale(1, 0), Load(400, 0), 10).replicas == 8


def test_fewer_must_have_been_enough_for_the_whole_cooldown() -> None:
    busy, calm = [Load(16)], [Load(1)] * 61
    *_, before, after = over(ollama(), Scale(1, 0), busy + calm)
    assert (before.replicas, after.replicas) == (4, 1)


def test_as_many_stay_as_were_needed_at_any_moment_of_the_cooldown() -> None:
    loads = [Load(16)] + [Load(1)] * 20 + [Load(8)] + [Load(1)] * 40
    assert over(ollama(), Scale(1, 0), loads)[-1].replicas == 2


def test_a_peak_begins_the_cooldown_anew() -> None:
    loads = ([Load(16)] + [Load(1)] * 50) * 5
    assert {each.replicas for each in over(ollama(), Scale(4, 0), loads)} == {4}


def test_the_last_one_goes_after_idleness_and_comes_back_with_the_first_request() -> None:
    spec = ollama(min=0, scaleToZeroAfterSeconds=300, cooldownSeconds=0)
    found = over(spec, Scale(1, 0), [Load(1)] + [IDLE] * 150)
    assert (found[149].replicas, found[150].replicas) == (1, 0)
    assert next_scale(spec, found[-1], IDLE, 1000).replicas == 0
    assert next_scale(spec, found[-1], Load(0, 1), 1000).replicas == 1


def test_the_last_one_stays_where_no_time_is_said() -> None:
    spec = ollama(min=0, cooldownSeconds=0)
    assert over(spec, Scale(1, 0), [IDLE] * 9, step=100_000)[-1].replicas == 1
    assert over(spec, Scale(0, 0), [IDLE] * 9, step=100_000)[-1].replicas == 0


def test_it_does_not_go_while_it_is_on_its_way() -> None:
    """Who asked for it has given up; a pull takes longer than the idle time."""
    spec = ollama(min=0, scaleToZeroAfterSeconds=60)
    scale = next_scale(spec, Scale(0, 0), Load(0, 1), 0)
    for now in range(2, 600, 2):
        scale = next_scale(spec, scale, IDLE, now, starting=True)
    assert scale.replicas == 1
    assert next_scale(spec, scale, IDLE, 657).replicas == 1
    assert next_scale(spec, scale, IDLE, 658).replicas == 0


def test_nothing_changes_while_nobody_knows_what_is_asked() -> None:
    spec = ollama(min=0, scaleToZeroAfterSeconds=60)
    found = over(spec, Scale(4, 0), [None] * 100, step=100)[-1]
    assert found == Scale(4, 9900)
    assert next_scale(spec, found, IDLE, 9910).replicas == 4


def test_bounds_that_are_edited_hold_at_once() -> None:
    assert next_scale(ollama(max=2), Scale(6, 0), Load(1), 10).replicas == 2
    assert next_scale(ollama(min=3), Scale(1, 0), IDLE, 10).replicas == 3
    assert next_scale(ollama(max=2), Scale(6, 0), None, 10).replicas == 2


def test_a_new_leader_goes_on_from_what_it_finds() -> None:
    spec = ollama(min=0, max=5, scaleToZeroAfterSeconds=300)
    assert first_scale(spec, None, 9).replicas == 0
    assert first_scale(spec, 3, 9) == Scale(3, 9)
    assert first_scale(spec, 7, 9).replicas == 5
    assert next_scale(spec, first_scale(spec, 3, 9), Load(1), 10).replicas == 3
    idle_for_long = first_scale(spec, 1, busy_at=-300)
    assert next_scale(spec, idle_for_long, IDLE, 10).replicas == 0


loads = st.lists(
    st.none() | st.builds(Load, st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=200
)
specs = st.builds(
    lambda least, more, target, cooldown, idle: ollama(
        min=least,
        max=max(1, least + more),
        targetInFlightPerReplica=target,
        cooldownSeconds=cooldown,
        **({"scaleToZeroAfterSeconds": idle} if idle and least == 0 else {}),
    ),
    st.integers(0, 4),
    st.integers(0, 6),
    st.integers(1, 9),
    st.integers(0, 300),
    st.none() | st.integers(60, 600),
)


@given(specs, st.integers(0, 20), loads, st.floats(0.1, 30))
def test_bounds_hold_and_whoever_asks_is_served(
    spec: Ollama, start: int, loads: list[Load | None], step: float
) -> None:
    by = spec.autoscaling
    assert by
    for load, scale in zip(
        loads, over(spec, first_scale(spec, start, 0), loads, step=step), strict=True
    ):
        assert by.min <= scale.replicas <= by.max
        if load and load.requests:
            needed = -(-load.requests // by.target_in_flight_per_replica)
            assert scale.replicas >= min(needed, by.max)


@given(specs, loads, st.floats(0.1, 30))
def test_under_noise_nothing_goes_within_a_cooldown_of_being_needed(
    spec: Ollama, loads: list[Load | None], step: float
) -> None:
    by = spec.autoscaling
    assert by
    scales = over(spec, first_scale(spec, 1, 0), loads, step=step)
    needed_at: dict[int, float] = {}
    for number, (load, scale) in enumerate(zip(loads, scales, strict=True)):
        now, before = number * step, scales[number - 1].replicas if number else scale.replicas
        if scale.replicas < before and scale.replicas > 0:
            recent = [n for n, at in needed_at.items() if now - at < by.cooldown_seconds]
            assert scale.replicas >= min(max(recent, default=0), by.max)
        requests = load.requests if load else 0
        needed = -(-requests // by.target_in_flight_per_replica)
        needed_at |= dict.fromkeys(range(needed + 1), now)


@given(specs, loads)
def test_equal_loads_give_equal_answers(spec: Ollama, loads: list[Load | None]) -> None:
    first = first_scale(spec, 1, 0)
    assert over(spec, first, loads) == over(spec, replace(first), loads)
