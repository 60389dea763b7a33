"""AT10: what has no price is refused, or priced as the provider says: never a silent zero."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.metered import Heard, MeteredProvider, Plan, Tariff, ask, offer
from tests.acceptance.metered.work import PICO_PER_MICRO
from tests.acceptance.metered.world import (
    Money,
    World,
    budget,
    metered,
    metered_model,
    money_of,
    world,
)
from tests.acceptance.registry import EVERY, Case

TARIFF = Tariff(input_token=2_000_000, output_token=5_000_000)
TEAM = budget("team")
UNPRICED = metered_model(TARIFF, price=None)
DEAR = metered_model(TARIFF, name="dear", upstream_name="dear")
CHEAP = metered_model(Tariff(input_token=1, output_token=1), name="cheap", upstream_name="cheap")
REFUSALS: dict[str, dict[str, Any]] = {
    "Deny": {"models": (UNPRICED, DEAR), "on_unknown_price": "Deny"},
    "UseHighest of none": {"models": (UNPRICED,), "on_unknown_price": "UseHighest"},
}


@pytest.fixture
async def here(tmp_path: Path, redis_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, redis_url) as running:
        yield running


async def one(here: World, case: Case, fake: MeteredProvider, **changes: Any) -> Heard:
    """Request of a model that is configured so, under a budget that refuses."""
    await here.publish(metered(case, fake, "one", **changes), budgets=(TEAM,))
    heard = await ask(here.port, offer(case, "one", "a", max_tokens=50), fake)
    await here.settled()
    return heard


@pytest.mark.parametrize("case", EVERY, ids=str)
@pytest.mark.parametrize("changes", REFUSALS.values(), ids=REFUSALS.keys())
async def test_at10_what_has_no_price_is_refused_under_a_budget(
    here: World, case: Case, changes: dict[str, Any]
) -> None:
    """Before anything is asked of the provider; and the answer says what to set."""
    async with MeteredProvider(lambda *_: Plan(), TARIFF) as fake:
        heard = await one(here, case, fake, **changes)
    assert (heard.status, fake.meter.works) == (429, [])
    assert b"team/one/small has no price: set it" in heard.body
    assert money_of(here.books, TEAM) == Money(0, 0, 0)


@pytest.mark.parametrize("case", EVERY, ids=str)
async def test_at10_the_provider_s_highest_price_stands_for_one_that_is_unknown(
    here: World, case: Case
) -> None:
    async with MeteredProvider(lambda *_: Plan(), TARIFF) as fake:
        models = (UNPRICED, CHEAP, DEAR)
        heard = await one(here, case, fake, models=models, on_unknown_price="UseHighest")
    assert heard.status == 200
    bill = fake.meter.bill_micro_usd()
    assert money_of(here.books, TEAM) == Money(bill, 0, 0)
    assert bill > 0


@pytest.mark.parametrize("case", EVERY, ids=str)
async def test_at10_free_is_free_because_somebody_said_so(here: World, case: Case) -> None:
    async with MeteredProvider(lambda *_: Plan(), TARIFF) as fake:
        models = (UNPRICED, DEAR)
        heard = await one(here, case, fake, models=models, on_unknown_price="Free")
    assert heard.status == 200
    assert money_of(here.books, TEAM) == Money(0, 0, 0)
    assert case.endpoint.streamed or heard.headers["x-penstock-cost-usd"] == "0.000000"


@pytest.mark.parametrize("case", [c for c in EVERY if not c.endpoint.streamed], ids=str)
async def test_at10_a_cost_that_is_not_known_is_not_said_to_be_zero(
    here: World, case: Case
) -> None:
    """Where no budget refuses it, it is served; and nothing is claimed."""
    async with MeteredProvider(lambda *_: Plan(), TARIFF) as fake:
        await here.publish(metered(case, fake, "one", models=(UNPRICED,)))
        heard = await ask(here.port, offer(case, "one", "a", max_tokens=50), fake)
    assert heard.status == 200
    assert "x-penstock-cost-usd" not in heard.headers


async def test_at10_a_request_keeps_the_price_that_it_began_with(here: World, case: Case) -> None:
    """Whatever is configured meanwhile; the next one has the new price."""
    gate = asyncio.Event()
    async with MeteredProvider(lambda *_: Plan(), TARIFF, gate=gate) as fake:
        await here.publish(metered(case, fake, "one"), budgets=(TEAM,))
        first = asyncio.create_task(ask(here.port, offer(case, "one", "a", max_tokens=50), fake))
        await fake.meter.work("a")
        tenfold = Tariff(10 * TARIFF.input_token, 10 * TARIFF.output_token)
        dearer = metered(case, fake, "one", models=(metered_model(tenfold),))
        await here.publish(dearer, budgets=(TEAM,))
        gate.set()
        assert (await first).status == 200
        await here.settled()
        (bill,) = (work.bill_pico_usd // PICO_PER_MICRO for work in fake.meter.works)
        assert money_of(here.books, TEAM) == Money(bill, 0, 0)
        second = await ask(here.port, offer(case, "one", "b", max_tokens=50), fake)
    await here.settled()
    assert second.status == 200
    assert money_of(here.books, TEAM) == Money(11 * bill, 0, 0)
