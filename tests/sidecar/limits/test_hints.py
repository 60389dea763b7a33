"""What callers read."""

from random import Random

import pytest

from penstock_sidecar.limits.hints import go_duration, with_jitter
from penstock_sidecar.limits.refusals import short_usd


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0ms"),
        (0.0124, "12ms"),
        (0.9999, "1000ms"),
        (1, "1s"),
        (1.5, "1.5s"),
        (360, "6m0s"),
        (3661.25, "1h1m1.25s"),
    ],
)
def test_resets_are_durations_as_go_writes_them(seconds: float, text: str) -> None:
    assert go_duration(seconds) == text


def test_waits_are_told_longer_and_never_shorter() -> None:
    random = Random(1)
    waits = [with_jitter(10, random) for _ in range(1000)]
    assert 10 <= min(waits) < max(waits) <= 11.5


@pytest.mark.parametrize(
    ("micro", "text"), [(0, "0.00"), (1_500_000, "1.50"), (1_234, "0.001234"), (-5, "0.00")]
)
def test_money_is_told_in_dollars(micro: int, text: str) -> None:
    assert short_usd(micro) == text
