"""AT14: a hit costs nothing, says what it saved, and takes nothing of a provider's limits."""

from decimal import Decimal

import pytest

from penstock_config.budget import Amounts, Budget
from penstock_config.cache import Cache
from penstock_config.policy import CallerLimit
from penstock_config.provider import RateLimits
from tests.acceptance.cache.levels import BOTH, LEVELS, level
from tests.planes.plane import Plane, chat

HITS = 20
STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


@pytest.mark.parametrize("cache", LEVELS.values(), ids=LEVELS)
async def test_at14_a_hit_costs_0_and_tells_what_the_answer_had_cost(
    plane: Plane, cache: Cache
) -> None:
    await plane.publish(plane.config(cache=cache))
    first = await plane.ask(chat())
    second = await plane.ask(chat())
    assert level(second).startswith("hit-")
    cost = Decimal(first.headers["x-penstock-cost-usd"])
    assert cost > 0
    assert Decimal(second.headers["x-penstock-cost-usd"]) == 0
    assert Decimal(second.headers["x-litellm-response-cost"]) == 0
    assert Decimal(second.headers["x-penstock-cost-saved-usd"]) == cost
    exposed = (await plane.probe("/metrics")).body.decode()
    (saved,) = [
        line for line in exposed.splitlines() if line.startswith("penstock_cost_saved_usd_total")
    ]
    assert Decimal(saved.split()[-1]) == cost
    tokens = [line for line in exposed.splitlines() if "token_usage_count{" in line]
    assert tokens
    assert {line.split()[-1] for line in tokens} == {"1.0"}, "a hit's tokens are not used again"


@STREAMED
async def test_at14_hits_take_nothing_of_providers_limits_nor_of_budgets(
    plane: Plane, stream: bool
) -> None:
    """The provider takes one request a minute, and the budget affords little more than one."""
    config = plane.config(cache=BOTH)
    one = RateLimits(requests_per_minute=1, window_seconds=60)
    providers = tuple(p.model_copy(update={"limits": one}) for p in config.providers[:1])
    budget = Budget(id="team/money", limits=Amounts(daily=400))
    target = {"model": "solo"}
    await plane.publish(
        config.model_copy(
            update={"providers": (*providers, *config.providers[1:]), "budgets": (budget,)}
        )
    )
    asked = {**chat(max_tokens=10), **target, "stream": stream}
    assert level(await plane.ask(asked)) == "miss"
    for _ in range(HITS):
        assert level(await plane.ask(asked)) == "hit-exact"
    assert len(plane.main.requests) == 1
    other = await plane.ask({**chat("another", max_tokens=10), **target})
    assert other.status == 429, "the one that was there has gone to the first request"


@pytest.mark.parametrize("counts", [False, True])
async def test_at14_whether_hits_take_of_the_callers_limits_is_the_policys_to_say(
    plane: Plane, counts: bool
) -> None:
    cache = BOTH.model_copy(update={"count_hits_against_limits": counts})
    limits = RateLimits(requests_per_minute=5, window_seconds=60)
    limit = CallerLimit(name="app", per="App", limits=limits)
    await plane.publish(plane.config(cache=cache, limits=(limit,)))
    answers = [await plane.ask(chat()) for _ in range(8)]
    refused = [answer.status for answer in answers].count(429)
    assert refused == (3 if counts else 0)
