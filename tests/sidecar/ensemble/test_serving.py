"""Ensembles as callers see them: a whole sidecar, real Redis, scripted models."""

import asyncio
from typing import Any, Final

import pytest

from penstock_cli.stub import Behaviour, Ok, Status, Tokens
from penstock_config.cache import Cache, ExactCache
from penstock_config.policy import CallerLimit
from penstock_config.provider import Health, RateLimits
from penstock_config.tier import Tier
from tests.planes.plane import NAMESPACE, Plane, tier, within
from tests.sidecar.ensemble.house import (
    Sizes,
    ask,
    books_of,
    daily,
    figures,
    gated,
    house,
    in_turn,
    members,
    one_provider,
    panel,
    publish,
    results,
    script,
    text_of,
)

THREE: Final[Sizes] = {"medium": (2, 3)}
PATIENCE_SECONDS: Final = 20
"""For what must not wait for an hour's end."""
USED: Final = Tokens(input=1_000, output=100)
COST_MICRO_USD: Final = 150 + 60
"""Of `USED`, by the price of `tests.planes.plane`."""


async def serving(
    plane: Plane, *behaviours: Behaviour, tiers: tuple[Tier, ...] = (), **changes: Any
) -> None:
    """A model for each; without `tiers` one that asks the first three of them."""
    script(plane, *behaviours)
    numbers = list(range(1, len(behaviours) + 1))
    providers = [one_provider(plane, number) for number in numbers]
    await publish(plane, house(providers, *(tiers or (panel(numbers, THREE),)), **changes))


async def test_the_majoritys_answer_is_given_with_the_figures(plane: Plane) -> None:
    tiers = (panel([1, 2, 3], THREE, quorum=3),)
    behaviours, gates = gated(Ok("Lyon"), Ok("Paris."), Ok("paris"))
    await serving(plane, *behaviours, tiers=tiers)
    answer = await in_turn(plane, ask(plane), gates)
    assert (answer.status, text_of(answer)) == (200, "Paris.")
    assert answer.headers["x-penstock-model"] == "m2"
    assert figures(answer) == {
        "asked": "3",
        "answered": "3",
        "agreement": "0.667",
        "consensus": "majority",
    }
    assert members(answer) == {
        "m1": {"result": "dissented", "confidence": "0.333"},
        "m2": {"result": "chosen", "confidence": "0.667"},
        "m3": {"result": "agreed", "confidence": "0.667"},
    }


async def test_a_quorum_ends_the_wait_and_who_is_late_is_cut(plane: Plane) -> None:
    never = asyncio.Event()
    tiers = (panel([1, 2, 3], THREE, seconds=3600),)
    await serving(plane, Ok("A"), Ok("B"), Ok("C", first=never), tiers=tiers)
    async with asyncio.timeout(PATIENCE_SECONDS):
        answer = await ask(plane)
    assert results(answer)["m3"] == "overtaken"
    assert figures(answer)["answered"] == "2"
    late = next(seen for seen in plane.main.requests if seen.model == "upstream-m3")
    await within(10, late.disconnected)


async def test_a_majority_that_nobody_can_overturn_ends_the_wait(plane: Plane) -> None:
    never = asyncio.Event()
    tiers = (panel([1, 2, 3], THREE, seconds=3600, quorum=3),)
    await serving(plane, Ok("A"), Ok("a."), Ok("C", first=never), tiers=tiers)
    async with asyncio.timeout(PATIENCE_SECONDS):
        answer = await ask(plane)
    assert results(answer)["m3"] == "overtaken"
    assert figures(answer)["agreement"] == "1.000"
    assert "degraded" not in figures(answer)


async def test_who_fails_is_replaced_while_too_few_could_answer(plane: Plane) -> None:
    tiers = (panel([1, 2, 3], {"medium": (2, 2)}, quorum=2),)
    await serving(plane, Status(500), Ok("A"), Ok("a"), tiers=tiers)
    answer = await ask(plane)
    assert text_of(answer).casefold() == "a"
    assert results(answer)["m1"] == "failed"
    assert members(answer)["m1"]["error"] == "provider_unavailable"
    assert (figures(answer)["asked"], figures(answer)["answered"]) == ("3", "2")
    assert "degraded" not in figures(answer)


async def test_a_fallback_tiers_models_fill_up_what_is_degraded_then(plane: Plane) -> None:
    own = panel([1, 2], {"medium": (2, 2)}, quorum=2)
    simple = tier("simple", ("p3", "m3"))
    tiers = (own.model_copy(update={"fallback_tiers": (simple.id,)}), simple)
    await serving(plane, Status(500), Ok("A"), Ok("A"), tiers=tiers)
    answer = await ask(plane)
    assert (figures(answer)["answered"], "degraded" in figures(answer)) == ("2", True)


async def test_who_keeps_failing_is_asked_only_where_too_few_others_are(plane: Plane) -> None:
    script(plane, Status(500), Ok("A"), Ok("A"))
    at_once = Health(failure_threshold=1, cooldown_seconds=3600)
    providers = [one_provider(plane, number, health=at_once) for number in (1, 2, 3)]
    await publish(plane, house(providers, panel([1, 2, 3], {"medium": (2, 3)}, quorum=3)))
    assert results(await ask(plane))["m1"] == "failed"
    assert sorted(results(await ask(plane))) == ["m2", "m3"]
    script(plane, Ok("A"), Status(500), Status(500))
    await ask(plane)
    assert text_of(await ask(plane)) == "A", "all are out, and the least bad is asked"


async def test_a_tier_with_too_few_models_borrows_from_the_start(plane: Plane) -> None:
    own = panel([1], {"medium": (2, 3)}, quorum=2)
    simple = tier("simple", ("p2", "m2"), ("p3", "m3"))
    tiers = (own.model_copy(update={"fallback_tiers": (simple.id,)}), simple)
    await serving(plane, Ok("A"), Ok("A"), Ok("A"), tiers=tiers)
    answer = await ask(plane)
    assert sorted(results(answer)) == ["m1", "m2"], "as many as the least, not as the most"
    assert "degraded" in figures(answer)


async def test_one_answer_is_given_where_no_other_comes(plane: Plane) -> None:
    await serving(plane, Ok("A"), Status(500), Status(503))
    answer = await ask(plane)
    assert (answer.status, text_of(answer)) == (200, "A")
    assert figures(answer) == {
        "asked": "3",
        "answered": "1",
        "agreement": "0.000",
        "consensus": "majority",
        "degraded": "",
    }


async def test_where_nobody_answers_everybodys_reason_is_told(plane: Plane) -> None:
    await serving(plane, Status(500), Status(401), Ok(""))
    answer = await ask(plane)
    assert (answer.status, answer.error["code"]) == (502, "upstream_error")
    assert "team/p3/m3: empty_completion" in answer.error["message"]
    assert (figures(answer)["asked"], figures(answer)["answered"]) == ("3", "0")


async def test_what_every_model_refuses_is_the_callers_to_hear(plane: Plane) -> None:
    refused = Status(400, message="bad temperature", param="temperature")
    await serving(plane, refused, refused, refused)
    answer = await ask(plane)
    assert (answer.status, answer.error["param"]) == (400, "temperature")


async def test_time_is_over_for_all_at_once(plane: Plane) -> None:
    never = asyncio.Event()
    tiers = (panel([1, 2, 3], THREE, seconds=1),)
    await serving(plane, Ok("A", first=never), Ok("B"), Ok("C", first=never), tiers=tiers)
    answer = await ask(plane)
    assert (text_of(answer), figures(answer)["answered"]) == ("B", "1")
    script(plane, *[Ok("A", first=never)] * 3)
    answer = await ask(plane)
    assert (answer.status, answer.error["code"]) == (504, "deadline_exceeded")
    assert "tier team/panel asks for that" in answer.error["message"]


async def test_too_little_agreement_is_an_error_that_says_so(plane: Plane) -> None:
    tiers = (panel([1, 2, 3], THREE, quorum=3, min_agreement_percent=60),)
    await serving(plane, Ok("A"), Ok("B"), Ok("C"), tiers=tiers)
    answer = await ask(plane)
    assert (answer.status, answer.error["code"]) == (502, "agreement_too_low")
    assert "agree by 33%, and the tier asks for 60%" in answer.error["message"]
    assert answer.headers["x-should-retry"] == "false"
    assert figures(answer)["agreement"] == "0.333"
    script(plane, Ok("A"), Ok("B"), Ok("b"))
    assert (await ask(plane)).status == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]},
        {"n": 2},
        {"model": "m1"},
    ],
    ids=["tools", "several choices", "a model by its name"],
)
async def test_where_no_consensus_makes_sense_one_model_answers(
    plane: Plane, fields: dict[str, Any]
) -> None:
    await serving(plane, Ok("A"), Ok("B"), Ok("C"))
    answer = await ask(plane, **fields)
    assert answer.status == 200
    assert "x-penstock-ensemble" not in answer.headers
    assert len(plane.main.requests) == 1


async def test_a_complexity_that_has_no_size_is_answered_by_one(plane: Plane) -> None:
    await serving(plane, Ok("A"), Ok("B"), Ok("C"))
    answer = await ask(plane, complexity="simple")
    assert "x-penstock-ensemble" not in answer.headers
    assert len(plane.main.requests) == 1


async def test_harder_requests_are_worth_more_models(plane: Plane) -> None:
    sizes: Sizes = {"simple": (2, 2), "expert": (4, 4)}
    await serving(plane, *[Ok("A")] * 5, tiers=(panel([1, 2, 3, 4, 5], sizes),))
    assert figures(await ask(plane, "simple"))["asked"] == "2"
    assert figures(await ask(plane, "expert"))["asked"] == "4"


async def test_the_cost_is_everybodys_and_settles_to_the_micro_dollar(
    plane: Plane, redis_url: str
) -> None:
    tiers = (panel([1, 2, 3], THREE, quorum=3),)
    texts = (Ok("A", usage=USED), Ok("B", usage=USED), Ok("C", usage=USED))
    await serving(plane, *texts, tiers=tiers, budgets=[daily(10_000_000)])
    answer = await ask(plane)
    assert answer.headers["x-penstock-cost-usd"] == f"{3 * COST_MICRO_USD / 1e6:.6f}"
    books = await books_of(plane, redis_url)
    assert books.money() == {"S": 3 * COST_MICRO_USD, "R": 0, "U": 0}
    exposition = (await plane.probe("/metrics")).body.decode()
    for number in (1, 2, 3):
        labels = f'model="m{number}",policy="team/shop",provider="team/p{number}"'
        assert f"penstock_cost_usd_total{{{labels}}} {COST_MICRO_USD / 1e6}" in exposition
    agreement = 'consensus="Majority",policy="team/shop",tier="panel"'
    assert f"penstock_ensemble_agreement_sum{{{agreement}}} 0.333" in exposition


async def test_who_was_cut_costs_what_had_been_asked_of_it(plane: Plane, redis_url: str) -> None:
    never = asyncio.Event()
    texts = (Ok("A", usage=USED), Ok("A", usage=USED), Ok("C", first=never))
    await serving(plane, *texts, budgets=[daily(10_000_000)])
    answer = await ask(plane)
    cost = round(float(answer.headers["x-penstock-cost-usd"]) * 1e6)
    assert cost > 2 * COST_MICRO_USD, "never 0 once it was sent"
    assert (await books_of(plane, redis_url)).money() == {"S": cost, "R": 0, "U": 0}


async def test_a_budget_refuses_those_that_it_cannot_pay_and_no_others(
    plane: Plane, redis_url: str
) -> None:
    """Each may cost at most what its prompt's bytes and 256 tokens of answer do."""
    worst = 154 + 40
    texts = [Ok(text, usage=Tokens(10, 1)) for text in "ABC"]
    tiers = (panel([1, 2, 3], THREE, quorum=3),)
    await serving(plane, *texts, tiers=tiers, budgets=[daily(2 * worst)])
    answer = await ask(plane, max_tokens=256)
    assert answer.status == 200
    told = members(answer)
    refused = [name for name, said in told.items() if said["result"] == "failed"]
    assert [told[name]["error"] for name in refused] == ["policy_budget_exceeded"]
    assert figures(answer)["answered"] == "2"
    money = (await books_of(plane, redis_url)).money()
    assert (money["R"], money["U"]) == (0, 0)
    assert money["S"] == round(float(answer.headers["x-penstock-cost-usd"]) * 1e6)


async def test_the_callers_limits_are_taken_once(plane: Plane, redis_url: str) -> None:
    limits = RateLimits(requests_per_minute=1, concurrent_requests=1)
    per_app = CallerLimit(name="app", per="App", limits=limits)
    await serving(plane, Ok("A"), Ok("A"), Ok("A"), limits=(per_app,))
    assert (await ask(plane)).status == 200
    asked = len(plane.main.requests)
    refused = await ask(plane)
    assert (refused.status, refused.error["code"]) == (429, "rate_limit_exceeded")
    assert len(plane.main.requests) == asked, "nobody is asked for who may not ask"
    assert (await books_of(plane, redis_url)).slots() == 0


async def test_a_saturated_tier_waits_in_its_queue_where_it_has_one(plane: Plane) -> None:
    once = RateLimits(requests_per_minute=1, window_seconds=1)
    script(plane, Ok("A"), Ok("A"))
    providers = [one_provider(plane, number, limits=once) for number in (1, 2)]
    queued = panel([1, 2], {"medium": (2, 2)}).model_copy(update={"when_saturated": "Queue"})
    await publish(plane, house(providers, queued))
    assert figures(await ask(plane))["answered"] == "2"
    answer = await ask(plane)
    assert (answer.status, "degraded" in figures(answer)) == (200, True)


async def test_a_member_whose_provider_says_when_is_waited_for_until_then(plane: Plane) -> None:
    plane.main.queue(Status(429, headers={"retry-after-ms": "200"}), Ok("A"), model="upstream-m1")
    plane.main.always(Status(429), model="upstream-m2")
    queued = panel([1, 2], {"medium": (2, 2)}).model_copy(update={"when_saturated": "Queue"})
    await publish(plane, house([one_provider(plane, number) for number in (1, 2)], queued))
    began = asyncio.get_running_loop().time()
    assert (await ask(plane)).status == 200
    assert asyncio.get_running_loop().time() - began >= 0.2
    assert len(plane.main.requests) == 3


async def test_an_answer_is_kept_for_all_that_ask_the_same(plane: Plane) -> None:
    cache = Cache(exact=ExactCache())
    await serving(plane, Ok("A"), Ok("A"), Ok("A"), cache=cache)
    first = await ask(plane)
    asked = len(plane.main.requests)
    again = await ask(plane)
    assert again.headers["x-penstock-cache"] == "hit-exact"
    assert text_of(again) == text_of(first)
    assert len(plane.main.requests) == asked
    assert again.headers["x-penstock-cost-saved-usd"] == first.headers["x-penstock-cost-usd"]


async def test_what_is_harder_is_not_answered_as_the_easy_was(plane: Plane) -> None:
    await serving(plane, *[Ok("A")] * 6, cache=Cache(exact=ExactCache()))
    medium, expert, again = [await ask(plane, each) for each in ("medium", "expert", "medium")]
    assert [answer.headers["x-penstock-cache"] for answer in (medium, expert, again)] == [
        "miss",
        "miss",
        "hit-exact",
    ]


async def test_a_degraded_answer_is_not_kept(plane: Plane) -> None:
    await serving(plane, Ok("A"), Status(500), Status(500), cache=Cache(exact=ExactCache()))
    assert "degraded" in figures(await ask(plane))
    assert (await ask(plane)).headers["x-penstock-cache"] == "miss"


async def test_a_caller_who_leaves_takes_all_models_with_him(plane: Plane, redis_url: str) -> None:
    never = asyncio.Event()
    slots = RateLimits(concurrent_requests=5)
    script(plane, *[Ok("A", first=never)] * 3)
    providers = [one_provider(plane, number, limits=slots) for number in (1, 2, 3)]
    await publish(plane, house(providers, panel([1, 2, 3], THREE), budgets=[daily(10**9)]))
    asking = asyncio.create_task(ask(plane))
    await plane.main.request(3)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    for seen in plane.main.requests:
        await within(10, seen.disconnected)
    books = await books_of(plane, redis_url)
    assert (books.slots(), books.money()["R"]) == (0, 0)


async def test_dissenters_lose_standing_where_scores_matter(plane: Plane) -> None:
    tiers = (panel([1, 2, 3], THREE, quorum=3).model_copy(update={"strategy": "Adaptive"}),)
    behaviours, gates = gated(Ok("Lyon"), Ok("Paris"), Ok("Paris"))
    await serving(plane, *behaviours, tiers=tiers)
    await in_turn(plane, ask(plane), gates)
    scores = plane.sidecar._shared.seen.scores
    wrong, right = f"{NAMESPACE}/p1/m1", f"{NAMESPACE}/p2/m2"
    assert scores.weight(wrong, "chat") < scores.weight(right, "chat")
