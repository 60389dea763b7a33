"""When a candidate counts as failing, and for how long (AT24)."""

import pytest

from penstock_config.provider import Health as HealthConfig
from penstock_sidecar.errors import (
    EmptyCompletion,
    StreamBroken,
    UpstreamCredentials,
    UpstreamError,
    UpstreamLimited,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from penstock_sidecar.model import Candidate
from penstock_sidecar.routing.health import Health
from tests.sidecar.routing.builders import ManualClock, model, provider

DOWN = UpstreamUnavailable("down")


def candidate(name: str = "m", *, threshold: int = 3, cooldown_seconds: float = 60) -> Candidate:
    config = HealthConfig(failure_threshold=threshold, cooldown_seconds=cooldown_seconds)
    return Candidate(provider("p", name, health=config), model(name), "fast", "shop/fast")


def test_it_takes_failures_in_a_row() -> None:
    health, one = Health(ManualClock()), candidate()
    for _ in range(2):
        health.failed(one, DOWN)
    health.succeeded(one)
    for _ in range(2):
        health.failed(one, DOWN)
    assert not health.cooling(one)
    health.failed(one, DOWN)
    assert health.cooling(one)


def test_another_model_of_the_provider_is_not_blamed() -> None:
    health = Health(ManualClock())
    health.failed(candidate("m", threshold=1), DOWN)
    assert not health.cooling(candidate("other", threshold=1))


def test_after_the_cooldown_one_more_failure_cools_again_at_once() -> None:
    clock = ManualClock()
    health, one = Health(clock), candidate(threshold=3, cooldown_seconds=60)
    for _ in range(3):
        health.failed(one, DOWN)
    clock.now += 60
    assert not health.cooling(one)
    health.failed(one, DOWN)
    assert health.cooling(one)


def test_a_success_ends_the_cooldown() -> None:
    health, one = Health(ManualClock()), candidate(threshold=1)
    health.failed(one, DOWN)
    health.succeeded(one)
    assert not health.cooling(one)


@pytest.mark.parametrize(
    ("retry_after_seconds", "expected"), [(None, 60), (5, 60), (60, 60), (300, 300)]
)
def test_it_cools_for_the_longer_of_its_own_time_and_the_providers(
    retry_after_seconds: float | None, expected: float
) -> None:
    clock = ManualClock()
    health, one = Health(clock), candidate(threshold=1, cooldown_seconds=60)
    health.failed(one, UpstreamLimited("later", retry_after_seconds=retry_after_seconds))
    clock.now += expected - 1
    assert health.cooling(one)
    clock.now += 1
    assert not health.cooling(one)


def test_a_shorter_hint_never_shortens_a_longer_one() -> None:
    clock = ManualClock()
    health, one = Health(clock), candidate(threshold=2, cooldown_seconds=60)
    health.failed(one, UpstreamLimited("later", retry_after_seconds=300))
    health.failed(one, UpstreamLimited("soon", retry_after_seconds=1))
    clock.now += 299
    assert health.cooling(one)


@pytest.mark.parametrize(
    "error",
    [DOWN, UpstreamLimited("x"), UpstreamTimeout("x"), EmptyCompletion("x"), StreamBroken("x")],
)
def test_errors_of_the_provider_count(error: UpstreamError) -> None:
    health, one = Health(ManualClock()), candidate(threshold=1)
    health.failed(one, error)
    assert health.cooling(one)


@pytest.mark.parametrize("error", [UpstreamRefused("x"), UpstreamCredentials("x")])
def test_errors_that_one_caller_may_cause_do_not(error: UpstreamError) -> None:
    health, one = Health(ManualClock()), candidate(threshold=1)
    health.failed(one, error)
    assert not health.cooling(one)


def test_the_memory_is_bounded() -> None:
    health = Health(ManualClock(), max_remembered=2)
    several = [candidate(name, threshold=1) for name in "abc"]
    for one in several:
        health.failed(one, DOWN)
    assert [health.cooling(one) for one in several] == [False, True, True]
