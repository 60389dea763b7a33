"""AT9, one request at a time: a budget bounds what it affords, by whichever cap there is."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.acceptance.metered import MeteredProvider, Plan, Tariff, ask, offer
from tests.acceptance.metered.world import (
    World,
    budget,
    metered,
    money_of,
    world,
)
from tests.acceptance.registry import Case

TARIFF = Tariff(input_token=1_000_000, output_token=10_000_000)


@pytest.fixture
async def here(tmp_path: Path, redis_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, redis_url) as running:
        yield running


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
