"""What routing is for: cheaper answers that are as good, and no free plan wasted."""

import asyncio
from random import Random

import pytest

from tests.eval.month.__main__ import SEED, asked_in, compared
from tests.eval.month.simulation import Month, Simulation, configuration
from tests.eval.month.truth import truth

LESS = 0.8


@pytest.fixture(scope="module", params=[SEED, SEED + 1])
def months(request: pytest.FixtureRequest) -> tuple[Month, Month]:
    seed: int = request.param
    return compared(seed)


def test_a_routed_month_costs_a_fifth_less_and_is_as_often_right(
    months: tuple[Month, Month],
) -> None:
    routed, always = months
    assert routed.requests == always.requests > 30_000
    assert routed.usd_per_thousand <= LESS * always.usd_per_thousand
    assert routed.share_right >= always.share_right
    assert routed.unserved == 0


def test_no_free_plan_is_used_up_while_another_has_much_left(months: tuple[Month, Month]) -> None:
    routed, _ = months
    assert routed.used_up > 0, "there was more than enough: nothing is shown"
    assert routed.unspread == 0


def test_plans_that_are_drawn_by_weight_are_not_used_up_in_step() -> None:
    """Else the test above could not fail."""
    true = truth()
    simulation = Simulation(configuration("Weighted"), true, Random(SEED))
    month = asyncio.run(simulation.run(asked_in(true, SEED)))
    assert month.unspread > 0
