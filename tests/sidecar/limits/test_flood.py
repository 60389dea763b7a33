"""A sidecar takes so many requests a second, and says when there is room again."""

import pytest

from penstock_sidecar.errors import RateLimited
from penstock_sidecar.limits.flood import FloodGate
from tests.sidecar.cache.builders import ManualClock


def admitted(gate: FloodGate, tries: int) -> int:
    count = 0
    for _ in range(tries):
        try:
            gate.take()
        except RateLimited:
            continue
        count += 1
    return count


def test_a_second_s_worth_passes_at_once_and_then_as_many_as_time_brings() -> None:
    clock = ManualClock()
    gate = FloodGate(100, clock)
    assert admitted(gate, 500) == 100
    clock.now += 0.25
    assert admitted(gate, 500) == 25
    clock.now += 3600
    assert admitted(gate, 500) == 100, "what nobody used does not gather"


def test_the_refusal_says_how_long_until_there_is_room() -> None:
    clock = ManualClock()
    gate = FloodGate(4, clock)
    admitted(gate, 4)
    with pytest.raises(RateLimited) as caught:
        gate.take()
    assert caught.value.retry_after_seconds == 0.25
    clock.now += 0.25
    gate.take()


def test_less_than_one_a_second_lets_one_pass_first() -> None:
    gate = FloodGate(0.1, ManualClock())
    assert admitted(gate, 5) == 1


def test_0_is_no_bound() -> None:
    assert admitted(FloodGate(0, ManualClock()), 1_000) == 1_000
