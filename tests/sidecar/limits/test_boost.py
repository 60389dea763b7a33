"""Budgets with a boost, and those that lead to a cheaper tier."""

from penstock_config.budget import Amounts, Boost, Downgrade
from penstock_config.provider import Price
from penstock_sidecar.errors import BudgetExceeded
from penstock_sidecar.model import Candidate
from tests.sidecar.limits import world
from tests.sidecar.limits.virtual import START_US
from tests.sidecar.limits.world_in_time import SECOND, InTime

WORST = 50
"""Micro-dollars that `world.request()` may cost."""
UNTIL = START_US // SECOND + 60
DOWN = Downgrade(tier="shop/slow", at_percent=50)
FREE = world.provider(id="shop/own", price=Price(input_token=0, output_token=0))


def slow() -> Candidate:
    cloud = world.provider()
    return Candidate(cloud, cloud.models[0], "slow", "shop/slow")


async def admitted(time: InTime, budget: object, of: Candidate | None = None) -> int:
    """How many of ten fit at once; they stay in flight."""
    limiter = time.limiter(world.config((world.provider(), FREE), budgets=(budget,)))  # type: ignore[arg-type]  # a budget
    answers = [await time.begin(limiter, of, max_output_tokens=10) for _ in range(10)]
    assert all(answer is None or isinstance(answer, BudgetExceeded) for answer in answers)
    return sum(answer is None for answer in answers)


async def test_a_boost_applies_and_ends_by_itself(time: InTime) -> None:
    amounts = Amounts(daily=2 * WORST)
    budget = world.budget(limits=amounts, boost=Boost(amount=3 * WORST, until=UNTIL))
    assert await admitted(time, budget) == 5
    await time.end_all()
    time.passes((UNTIL - START_US // SECOND) * SECOND)
    limiter = time.limiter(world.config(budgets=(budget,)))
    refused = await time.served(limiter)
    assert isinstance(refused, BudgetExceeded)
    assert refused.metadata
    assert refused.metadata["limit"] == "0.0001"


async def test_from_its_percentage_on_only_the_downgrade_tier_spends(time: InTime) -> None:
    budget = world.budget(limits=Amounts(daily=4 * WORST), on_exceeded="Downgrade", downgrade=DOWN)
    assert await admitted(time, budget) == 2
    assert await admitted(time, budget, slow()) == 2
    assert await admitted(time, budget, world.candidate(FREE)) == 10


async def test_the_percentage_is_of_the_boosted_amount(time: InTime) -> None:
    budget = world.budget(
        limits=Amounts(daily=4 * WORST),
        on_exceeded="Downgrade",
        downgrade=DOWN,
        boost=Boost(amount=2 * WORST, until=UNTIL),
    )
    assert await admitted(time, budget) == 3
    assert await admitted(time, budget, slow()) == 3


async def test_users_are_downgraded_by_their_own_amounts(time: InTime) -> None:
    budget = world.budget(
        limits=Amounts(),
        per_user=Amounts(daily=4 * WORST),
        on_exceeded="Downgrade",
        downgrade=DOWN,
    )
    assert await admitted(time, budget) == 2
    assert await admitted(time, budget, slow()) == 2


async def test_downgrade_without_a_tier_rejects(time: InTime) -> None:
    budget = world.budget(limits=Amounts(daily=4 * WORST), on_exceeded="Downgrade")
    assert await admitted(time, budget) == 4
