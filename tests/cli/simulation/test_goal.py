"""What was promised of our plan, on both scenarios with all 20 seeds."""

from statistics import median

import pytest

from tests.cli.simulation.scenarios import NAMES, SEEDS, figures


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
    assert median(each.passed_on / each.requests for each in found) < 0.10


@pytest.mark.parametrize("name", NAMES)
def test_our_plan_delivers_many_times_the_tokens_of_the_naive_one(name: str) -> None:
    """More than the utilisation says: a batch answers several requests in one GPU second."""
    for seed in SEEDS:
        ours, naive = (figures(name, "ours", seed), figures(name, "naive", seed))
        assert sum(ours.output_tokens.values()) > 6 * sum(naive.output_tokens.values())
