"""Peak-EWMA of the time to first content."""

import pytest

from penstock_sidecar.model import Candidate
from penstock_sidecar.routing.latencies import TAU_SECONDS, Latencies
from tests.sidecar.routing.builders import ManualClock
from tests.sidecar.routing.strategies.models import candidate, priced

KNOWN = candidate(priced("known", 0, expected_latency_ms=400))
UNKNOWN = candidate(priced("unknown", 0))


def ms(latencies: Latencies, of: Candidate) -> float | None:
    return latencies.ms(of, stream=True)


def test_until_it_was_measured_the_expected_counts() -> None:
    latencies = Latencies(ManualClock())
    assert (ms(latencies, KNOWN), ms(latencies, UNKNOWN)) == (400, None)


def test_a_peak_counts_in_full_at_once_and_a_quick_answer_only_slowly() -> None:
    clock = ManualClock()
    latencies = Latencies(clock)
    latencies.measured(UNKNOWN, 0.2, stream=True)
    latencies.measured(UNKNOWN, 2.0, stream=True)
    assert ms(latencies, UNKNOWN) == 2_000
    clock.now += 1
    latencies.measured(UNKNOWN, 0.2, stream=True)
    assert 1_700 < (ms(latencies, UNKNOWN) or 0) < 2_000


def test_a_peak_fades_to_the_expected_while_nobody_asks() -> None:
    clock = ManualClock()
    latencies = Latencies(clock)
    latencies.measured(KNOWN, 2.4, stream=True)
    clock.now += TAU_SECONDS
    assert ms(latencies, KNOWN) == pytest.approx(400 + 2_000 / 2.718, rel=0.01)
    clock.now += 100 * TAU_SECONDS
    assert ms(latencies, KNOWN) == pytest.approx(400)


def test_who_is_quicker_than_expected_stays_so() -> None:
    clock = ManualClock()
    latencies = Latencies(clock)
    latencies.measured(KNOWN, 0.1, stream=True)
    clock.now += 100 * TAU_SECONDS
    assert ms(latencies, KNOWN) == pytest.approx(100)


def test_whole_answers_are_not_measured_by_first_tokens() -> None:
    latencies = Latencies(ManualClock())
    latencies.measured(UNKNOWN, 9.0, stream=False)
    assert ms(latencies, UNKNOWN) is None
    assert latencies.ms(UNKNOWN, stream=False) == 9_000


def test_who_is_always_overtaken_gets_slower_and_never_quicker() -> None:
    latencies = Latencies(ManualClock())
    latencies.measured(KNOWN, 0.3, stream=True)
    latencies.waited(KNOWN, 0.2, stream=True)
    assert ms(latencies, KNOWN) == pytest.approx(300)
    latencies.waited(KNOWN, 0.9, stream=True)
    assert ms(latencies, KNOWN) == pytest.approx(900)
    latencies.waited(UNKNOWN, 0.5, stream=True)
    assert ms(latencies, UNKNOWN) == pytest.approx(500)
