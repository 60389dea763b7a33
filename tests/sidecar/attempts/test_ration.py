"""Extras are a share of the requests, and no more."""

import pytest

from penstock_sidecar.attempts.means import retry_ration
from penstock_sidecar.attempts.ration import Ration
from tests.sidecar.routing.builders import ManualClock


def spent(ration: Ration, requests: int) -> int:
    """By requests each of which would take an extra."""
    count = 0
    for _ in range(requests):
        ration.earn()
        count += ration.spend()
    return count


@pytest.mark.parametrize("percent", [1, 3, 10, 50, 100])
def test_whoever_always_wants_one_gets_his_share_and_the_first(percent: int) -> None:
    assert spent(Ration(percent, 100, ManualClock()), 1000) == pytest.approx(
        min(1000, 1 + 1000 * percent // 100), abs=1
    )


def test_what_is_saved_is_bounded() -> None:
    ration = Ration(10, 5, ManualClock())
    for _ in range(10_000):
        ration.earn()
    assert sum(ration.spend() for _ in range(100)) == 5


def test_one_that_was_not_used_is_there_again() -> None:
    ration = Ration(10, 5, ManualClock())
    assert ration.spend()
    assert not ration.spend()
    ration.give_back()
    assert ration.spend()


def test_retries_are_a_tenth_of_a_busy_apps_requests() -> None:
    assert spent(retry_ration(ManualClock()), 10_000) == 1000 + 5


def test_a_quiet_app_may_retry_and_never_saves_up_for_it() -> None:
    clock = ManualClock()
    ration = retry_ration(clock)
    assert sum(ration.spend() for _ in range(100)) == 5
    clock.now += 6
    assert [ration.spend(), ration.spend()] == [True, False]
    clock.now += 3600
    assert sum(ration.spend() for _ in range(100)) == 5


def test_the_floor_adds_nothing_to_what_a_busy_app_has_saved() -> None:
    clock = ManualClock()
    ration = retry_ration(clock)
    for _ in range(200):
        ration.earn()
    clock.now += 3600
    assert sum(ration.spend() for _ in range(100)) == 25
