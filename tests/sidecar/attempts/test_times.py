"""What is learnt of how long candidates take."""

import random

import pytest

from penstock_sidecar.attempts.times import LEAST_SAMPLES, MOST_SAMPLES, FirstContentTimes, Times

NAME = ("cloud/small", True)


@pytest.mark.parametrize("percent", [50, 75, 90, 95, 99])
def test_a_percentile_is_a_tenth_exact(percent: int) -> None:
    chance = random.Random(7)
    seconds = [chance.lognormvariate(-1, 0.8) for _ in range(900)]
    times = Times()
    for each in seconds:
        times.add(each)
    true = sorted(seconds)[900 * percent // 100 - 1]
    assert times.percentile(percent) == pytest.approx(true, rel=0.11)


def test_too_few_say_nothing() -> None:
    times = FirstContentTimes()
    for _ in range(LEAST_SAMPLES - 1):
        times.add(NAME, 0.5)
    assert times.percentile(NAME, 95) is None
    times.add(NAME, 0.5)
    assert times.percentile(NAME, 95) == pytest.approx(0.5, rel=0.1)


def test_what_was_long_ago_is_forgotten() -> None:
    times = Times()
    for _ in range(MOST_SAMPLES):
        times.add(10)
    for _ in range(5 * MOST_SAMPLES):
        times.add(0.1)
    assert times.percentile(95) == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize("seconds", [0, 1e-9, 0.001, 600, 1e6])
def test_any_time_has_a_place(seconds: float) -> None:
    times = Times()
    for _ in range(LEAST_SAMPLES):
        times.add(seconds)
    found = times.percentile(50)
    assert found
    assert 0.001 <= found <= 660


def test_streams_and_plain_answers_are_told_apart() -> None:
    times = FirstContentTimes()
    for _ in range(LEAST_SAMPLES):
        times.add(("cloud/small", True), 0.2)
        times.add(("cloud/small", False), 20)
    assert times.percentile(("cloud/small", True), 95) == pytest.approx(0.2, rel=0.1)
    assert times.percentile(("cloud/small", False), 95) == pytest.approx(20, rel=0.1)


def test_the_least_recently_used_is_forgotten() -> None:
    times = FirstContentTimes(most=2)
    for name in ("a", "b", "a", "c"):
        for _ in range(LEAST_SAMPLES):
            times.add((name, True), 1)
    assert [times.percentile((name, True), 50) is None for name in "abc"] == [False, True, False]
