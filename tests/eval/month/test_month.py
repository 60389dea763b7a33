"""What routing is for: cheaper answers that are as good, and no free plan wasted."""

import asyncio
from random import Random

import pytest

from tests.eval.month.__main__ import SEED, asked_in, compared
from tests.eval.month.simulation import Month, Simulation, configuration
from tests.eval.month.truth import truth

LESS = 0.8
MONTHS = 3


@pytest.fixture(scope="module")
def months() -> list[tuple[Month, Month]]:
    """Several, because who is down when is luck: of the routed, and of always the best model."""
    return [compared(SEED + number) for number in range(MONTHS)]


def test_routed_months_cost_a_fifth_less_and_are_as_often_right(
    months: list[tuple[Month, Month]],
) -> None:
    for routed, always in months:
        assert routed.requests == always.requests > 30_000
        assert routed.usd_per_thousand <= LESS * always.usd_per_thousand
        assert routed.unserved == 0
    assert sum(routed.right for routed, _ in months) >= sum(always.right for _, always in months)


def test_no_free_plan_is_used_up_while_another_has_much_left(
    months: list[tuple[Month, Month]],
) -> None:
    assert all(routed.used_up > 0 for routed, _ in months), "else nothing is shown"
    assert [routed.unspread for routed, _ in months] == [0] * MONTHS


def test_plans_that_are_drawn_by_weight_are_not_used_up_in_step() -> None:
    """Else the test above could not fail."""
    true = truth()
    simulation = Simulation(configuration("Weighted"), true, Random(SEED))
    month = asyncio.run(simulation.run(asked_in(true, SEED)))
    assert month.unspread > 0
