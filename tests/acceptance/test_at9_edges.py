"""AT9, one request at a time: a budget bounds what is not shown, too, by whichever cap there is."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from penstock_config.policy import Retry
from tests.acceptance.metered import MeteredProvider, Plan, Tariff, ask, offer
from tests.acceptance.metered.world import (
    THINKS,
    World,
    budget,
    metered,
    metered_model,
    money_of,
    world,
)
from tests.acceptance.registry import EVERY, Case

TARIFF = Tariff(input_token=1_000_000, output_token=10_000_000)
THINKER = metered_model(TARIFF, capabilities=THINKS)
THOUGHTFUL = Plan(says=100, thinks=700, hidden=True, stepped=True)
HALF_WAY = [
    pytest.param(replace(THOUGHTFUL, usage="missing", stepped=False), None, id="no usage"),
    pytest.param(THOUGHTFUL, 1, id="the caller leaves"),
    pytest.param(replace(THOUGHTFUL, fate="cut", after=1), None, id="the provider cuts off"),
]


@pytest.fixture
async def here(tmp_path: Path, redis_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, redis_url) as running:
        yield running


@pytest.mark.parametrize(("plan", "leaves_after"), HALF_WAY)
@pytest.mark.parametrize("case", [c for c in EVERY if c.endpoint.streamed], ids=str)
async def test_at9_thoughts_that_nobody_sees_are_within_what_is_charged(
    here: World, case: Case, plan: Plan, leaves_after: int | None
) -> None:
    """They are billed as output, up to the cap. Where no usage comes, only the hold covers them."""
    team = budget("team")
    async with MeteredProvider(lambda *_: plan, TARIFF) as fake:
        await here.publish(metered(case, fake, "one", models=(THINKER,)), budgets=(team,))
        asked = offer(case, "one", "a", max_tokens=1000, leaves_after=leaves_after)
        await ask(here.port, asked, fake)
        await fake.meter.ended()
    await here.settled()
    assert fake.meter.bill_micro_usd() <= money_of(here.books, team).used


@pytest.mark.parametrize("spare", [0, 50, 100, 150])
async def test_at9_a_nudge_is_input_that_the_budget_pays_for(
    here: World, case: Case, spare: int
) -> None:
    """An answer that thinks up to its cap is empty, and is asked for again in more words: the
    second attempt holds for these, too."""
    plan = Plan(says=0, thinks=5000, hidden=True)
    async with MeteredProvider(lambda *_: plan, TARIFF) as fake:
        asked = offer(case, "one", "a", max_tokens=1000)
        most = 2 * asked.bound_micro_usd(TARIFF) + spare
        team = budget("team", most)
        retry = Retry(attempts=2, backoff_ms=0)
        await here.publish(metered(case, fake, "one"), budgets=(team,), retry=retry)
        await ask(here.port, asked, fake)
    await here.settled()
    money = money_of(here.books, team)
    assert fake.meter.bill_micro_usd() <= money.used
    assert fake.meter.bill_micro_usd() <= most


async def test_at9_both_spellings_of_a_cap_are_held_for(here: World, case: Case) -> None:
    """`max_tokens` beside a larger `max_completion_tokens`: whichever the provider obeys."""
    async with MeteredProvider(lambda *_: Plan(says=5000), TARIFF) as fake:
        asked = offer(case, "one", "a", max_tokens=100, max_completion_tokens=1000)
        team = budget("team", replace(asked, most=1000).bound_micro_usd(TARIFF) - 1)
        await here.publish(metered(case, fake, "one"), budgets=(team,))
        heard = await ask(here.port, asked, fake)
    await here.settled()
    assert heard.status == 200
    assert fake.meter.bill_micro_usd() == money_of(here.books, team).used


async def test_at9_an_answer_without_a_cap_gets_the_one_that_the_budget_affords(
    here: World, case: Case
) -> None:
    """And a budget that affords less than a short one refuses."""
    async with MeteredProvider(lambda *_: Plan(says=50_000), TARIFF) as fake:
        asked = offer(case, "one", "a", max_tokens=None)
        team = budget("team", 5_000)
        await here.publish(metered(case, fake, "one"), budgets=(team,))
        first = await ask(here.port, asked, fake)
        await here.settled()
        second = await ask(here.port, asked, fake)
    assert (first.status, second.status) == (200, 429)
    assert 4_900 <= fake.meter.bill_micro_usd() <= money_of(here.books, team).used <= 5_000
