"""Traces and the naive plan came first, and are what they were; what was promised of our plan.

One module, so that all 20 seeds of both scenarios are run once.
"""

from statistics import median

import pytest

from penstock_cli.simulation.fleet import devices_of, headroom_mib_of, loads_of
from penstock_cli.simulation.measures import asked_share
from tests.cli.simulation.frozen import all_of, promised
from tests.cli.simulation.scenarios import NAMES, SEEDS, figures, naive_figures, scenario, trace


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_hardware_traces_and_the_naive_plan_are_the_frozen_ones(name: str) -> None:
    made = all_of(name)
    assert {what: promised()[what] for what in made} == made


@pytest.mark.parametrize("name", NAMES)
def test_the_naive_plan_uses_less_than_a_fifth_of_the_gpus(name: str) -> None:
    assert median(naive_figures(name, seed).utilisation for seed in SEEDS) < 0.20


@pytest.mark.parametrize("name", NAMES)
def test_a_trace_asks_for_two_thirds_of_the_gpus(name: str) -> None:
    spec = scenario(name)
    parts = devices_of(spec), loads_of(spec), headroom_mib_of(spec), spec.traffic.duration_seconds
    shares = [asked_share(trace(name, seed), *parts) for seed in SEEDS]
    assert 0.60 <= median(shares) <= 0.75


@pytest.mark.parametrize("name", NAMES)
def test_most_of_the_naive_plans_time_goes_into_loading(name: str) -> None:
    found = [naive_figures(name, seed) for seed in SEEDS]
    assert median(each.stalled for each in found) > 0.6
    assert all(each.timed_out["loading"] for each in found)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_gpu_does_adds_up_to_its_time(name: str) -> None:
    for seed in SEEDS:
        found = naive_figures(name, seed)
        assert found.utilisation + found.wasted + found.stalled <= 1 + 1e-9
        assert found.delivered + sum(found.timed_out.values()) == found.requests


@pytest.mark.parametrize("name", NAMES)
def test_our_plan_uses_three_fifths_of_the_gpus_where_the_naive_one_uses_a_fifth(name: str) -> None:
    ours = [figures(name, "ours", seed).utilisation for seed in SEEDS]
    naive = [figures(name, "naive", seed).utilisation for seed in SEEDS]
    assert median(ours) >= 0.60
    assert median(naive) < 0.20


@pytest.mark.parametrize("name", NAMES)
def test_no_request_times_out_because_of_loading(name: str) -> None:
    found = [figures(name, "ours", seed) for seed in SEEDS]
    assert {each.timed_out["loading"] for each in found} == {0}
    assert {each.timed_out["memory"] for each in found} == {0}


@pytest.mark.parametrize("name", NAMES)
def test_few_requests_are_late_and_few_are_passed_on(name: str) -> None:
    found = [figures(name, "ours", seed) for seed in SEEDS]
    assert median(each.delivered_share for each in found) > 0.99
    assert median(each.passed_on / each.requests for each in found) < 0.15


@pytest.mark.parametrize("name", NAMES)
def test_our_plan_delivers_many_times_the_tokens_of_the_naive_one(name: str) -> None:
    """More than the utilisation says: a batch answers several requests in one GPU second."""
    for seed in SEEDS:
        ours, naive = (figures(name, "ours", seed), figures(name, "naive", seed))
        assert sum(ours.output_tokens.values()) > 6 * sum(naive.output_tokens.values())
