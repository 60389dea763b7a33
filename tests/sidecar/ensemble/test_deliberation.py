"""Answers that other models compare: a judge, and whoever makes embeddings."""

import asyncio
import json
import re
from typing import Any

import pytest

from penstock_cli.stub import Behaviour, Ok, Raw, Status, Tokens
from penstock_config.provider import Price, Provider
from penstock_config.tier import Judge, Tier
from tests.planes.plane import NAMESPACE, Plane, tier
from tests.sidecar.ensemble.house import (
    Sizes,
    ask,
    books_of,
    daily,
    figures,
    house,
    named,
    one_provider,
    panel,
    publish,
    results,
    script,
    text_of,
)

THREE: Sizes = {"medium": (3, 3)}
NEAR = ("The cat sat on the mat.", "The cat sat on a mat.", "Quarterly revenue fell by 3%.")
JUDGE = Judge(provider=f"{NAMESPACE}/p9", model="m9")
DEAR = Price(input_token=10**12, output_token=10**12)
USED = Tokens(input=1_000, output=100)


def comparing(consensus: str, **changes: Any) -> Tier:
    return panel([1, 2, 3], THREE, quorum=3, consensus=consensus, **changes)


async def serving(
    plane: Plane, adviser: Behaviour, tiers: tuple[Tier, ...], *texts: str, **changes: Any
) -> None:
    """Three models that say these texts, and m9, who is asked about them."""
    script(plane, *(Ok(text, usage=USED) for text in texts or NEAR))
    plane.main.always(adviser, model="upstream-m9")
    providers = [one_provider(plane, number) for number in (1, 2, 3)]
    await publish(plane, house([*providers, nine(plane)], *tiers, **changes))


def nine(plane: Plane, **changes: Any) -> Provider:
    model = named(9, capabilities=("chat", "embeddings"))
    return one_provider(plane, 9, model, **changes)


def vectors(*each: list[float]) -> Raw:
    data = [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(each)]
    usage = {"prompt_tokens": 30, "total_tokens": 30}
    document = {"object": "list", "data": data, "model": "m9", "usage": usage}
    return Raw((json.dumps(document).encode(),), "application/json")


def advised(plane: Plane) -> dict[str, Any]:
    (seen,) = [each for each in plane.main.requests if each.model == "upstream-m9"]
    return dict(seen.body)


async def test_similarity_gives_the_answer_that_is_nearest_to_the_others(plane: Plane) -> None:
    await serving(plane, Status(500), (comparing("Similarity"),))
    answer = await ask(plane)
    assert text_of(answer) in NEAR[:2]
    assert figures(answer)["consensus"] == "similarity"
    assert 0 < float(figures(answer)["agreement"]) < 1
    assert set(results(answer).values()) == {"chosen", "answered"}


async def test_meaning_counts_where_the_policy_has_a_model_for_it(plane: Plane) -> None:
    meaning = tier("meaning", ("p9", "m9"))
    far_and_near = vectors([1.0, 0.0], [0.0, 1.0], [0.1, 1.0])
    tiers = (comparing("Similarity"), meaning)
    await serving(plane, far_and_near, tiers, "A", "B", "C", budgets=[daily(10**9)])
    answer = await ask(plane)
    texts = advised(plane)["input"]
    assert sorted(texts) == ["A", "B", "C"]
    assert text_of(answer) == texts[2], "nearest to both others by its vector"


@pytest.mark.parametrize(
    "mishap",
    [Status(500), Status(429), vectors([1.0]), Raw((b"{}",), "application/json")],
    ids=["down", "limited", "too few vectors", "no vectors"],
)
async def test_without_vectors_the_words_decide(plane: Plane, mishap: Behaviour) -> None:
    await serving(plane, mishap, (comparing("Similarity"), tier("meaning", ("p9", "m9"))))
    answer = await ask(plane)
    assert answer.status == 200
    assert text_of(answer) in NEAR[:2]
    assert advised(plane)


@pytest.mark.parametrize("consensus", ["Similarity", "Judge"])
async def test_nobody_is_told_of_answers_who_may_not_get_personal_data(
    plane: Plane, consensus: str
) -> None:
    script(plane, *(Ok(text) for text in NEAR))
    providers = [one_provider(plane, number) for number in (1, 2, 3)]
    stranger = nine(plane, may_send_personal_data=False)
    judge = JUDGE if consensus == "Judge" else None
    tiers = (comparing(consensus, judge=judge), tier("meaning", ("p9", "m9")))
    await publish(plane, house([*providers, stranger], *tiers))
    assert (await ask(plane)).status == 200
    assert {seen.model for seen in plane.main.requests} == {f"upstream-m{n}" for n in (1, 2, 3)}


async def test_the_judge_chooses_by_number(plane: Plane) -> None:
    await serving(plane, Ok("2"), (comparing("Judge", judge=JUDGE),))
    answer = await ask(plane, content="What did the cat do?")
    shown = advised(plane)["messages"][-1]["content"]
    assert "What did the cat do?" in shown
    second = re.search(r"<answer 2>\n(.*)\n</answer 2>", shown)
    assert second
    assert text_of(answer) == second[1]
    assert figures(answer)["consensus"] == "judge"


@pytest.mark.parametrize(
    "verdict",
    [Ok("none of them"), Ok("1 or 2"), Ok("7"), Status(500), Ok("")],
    ids=["no number", "two numbers", "nobody's number", "down", "empty"],
)
async def test_a_verdict_that_is_no_use_leaves_it_to_similarity(
    plane: Plane, verdict: Behaviour
) -> None:
    await serving(plane, verdict, (comparing("Judge", judge=JUDGE),))
    answer = await ask(plane)
    assert answer.status == 200
    assert text_of(answer) in NEAR[:2]


async def test_a_judge_who_takes_too_long_is_paid_for_what_he_was_asked(
    plane: Plane, redis_url: str
) -> None:
    late = Ok("3", first=asyncio.Event())
    tiers = (comparing("Judge", judge=JUDGE, seconds=1),)
    await serving(plane, late, tiers, budgets=[daily(10**9)])
    answer = await ask(plane)
    assert (answer.status, text_of(answer) in NEAR[:2]) == (200, True)
    told = round(float(answer.headers["x-penstock-cost-usd"]) * 1e6)
    assert told > 3 * (150 + 60)
    assert (await books_of(plane, redis_url)).money() == {"S": told, "R": 0, "U": 0}


async def test_the_judge_is_paid_too(plane: Plane, redis_url: str) -> None:
    verdict = Ok("1", usage=Tokens(input=2_000, output=1))
    tiers = (comparing("Judge", judge=JUDGE),)
    await serving(plane, verdict, tiers, budgets=[daily(10**9)])
    answer = await ask(plane)
    cost = 3 * (150 + 60) + 301
    assert answer.headers["x-penstock-cost-usd"] == f"{cost / 1e6:.6f}"
    assert (await books_of(plane, redis_url)).money() == {"S": cost, "R": 0, "U": 0}
    exposition = (await plane.probe("/metrics")).body.decode()
    labels = 'model="m9",policy="team/shop",provider="team/p9",result="advised",tier="panel"'
    assert f"penstock_ensemble_members_total{{{labels}}} 1.0" in exposition


async def test_a_judge_whom_the_budget_cannot_pay_is_not_asked(plane: Plane) -> None:
    verdict = Ok("1")
    dear = one_provider(plane, 9, named(9, max_output_tokens=10**9, price=DEAR))
    script(plane, *(Ok(text, usage=Tokens(10, 1)) for text in NEAR))
    plane.main.always(verdict, model="upstream-m9")
    providers = [one_provider(plane, number) for number in (1, 2, 3)]
    tiers = (comparing("Judge", judge=JUDGE),)
    await publish(plane, house([*providers, dear], *tiers, budgets=[daily(1_000)]))
    answer = await ask(plane)
    assert answer.status == 200
    assert "upstream-m9" not in {seen.model for seen in plane.main.requests}
