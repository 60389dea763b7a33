"""Twelve models of mixed speed and failure, four of them on one graphics card, answer a request;
time-outs, quorum, agreement and cost come out exactly, and nothing stays behind."""

import asyncio
from random import Random
from typing import Any, Final

import pytest

from penstock_cli.stub import EMPTY, Behaviour, Broken, Ok, Status
from penstock_config.layout import Group
from penstock_config.policy import CallerLimit
from penstock_config.provider import Health, Provider, RateLimits
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Tier
from tests.planes.plane import NAMESPACE, PRICE, Plane, tier, within
from tests.sidecar.ensemble.house import (
    PANEL,
    ask,
    books_of,
    daily,
    figures,
    house,
    members,
    named,
    one_provider,
    panel,
    publish,
    results,
    script,
)
from tests.sidecar.http.edge import Response

GB: Final = 2**30
LOCAL: Final = range(1, 5)
CLOUD: Final = range(5, 15)
"""The last two are not the panel's own: they fill up."""
EVERYTHING: Final = RateLimits(
    requests_per_minute=1_000, tokens_per_minute=10_000_000, concurrent_requests=20
)
WORDS: Final = ("So it is.\nAnswer: 42", "42.", "It is forty-one.", "43")


def card(plane: Plane) -> Provider:
    """Of four models that need 3 GB each, two fit at a time."""
    models = tuple(named(number, vram_bytes=3 * GB) for number in LOCAL)
    return limited(plane, 1, models=models, gpu_memory_bytes=8 * GB)


def limited(plane: Plane, number: int, **changes: Any) -> Provider:
    """With every kind of limit, and never out for its failures."""
    health = Health(failure_threshold=10**9)
    return one_provider(plane, number, limits=EVERYTHING, health=health, **changes)


def twelve(plane: Plane, seconds: int = 30) -> SidecarConfig:
    own = panel(range(1, 13), {"expert": (10, 12)}, seconds=seconds)
    candidates = tuple(
        each.model_copy(update={"provider": f"{NAMESPACE}/p1"}) if place < len(LOCAL) else each
        for place, each in enumerate(own.candidates)
    )
    simple = tier("simple", ("p13", "m13"), ("p14", "m14"))
    own = own.model_copy(update={"candidates": candidates, "fallback_tiers": (simple.id,)})
    tiers: tuple[Tier, ...] = (own, simple)
    providers = [card(plane), *(limited(plane, n) for n in CLOUD)]
    limit = CallerLimit(name="app", per="App", limits=EVERYTHING)
    return house(providers, *tiers, budgets=[daily(10**10)], limits=(limit,))


def consistent(answer: Response) -> None:
    """The figures are those of the models' own results."""
    told = results(answer).values()
    answered = [result for result in told if result in {"chosen", "agreed", "dissented"}]
    agreeing = [result for result in answered if result != "dissented"]
    assert figures(answer)["asked"] == str(len(told))
    assert figures(answer)["answered"] == str(len(answered))
    share = len(agreeing) / len(answered) if len(answered) > 1 else 0
    assert figures(answer)["agreement"] == f"{share:.3f}"
    for said in members(answer).values():
        if said["result"] in {"chosen", "agreed"}:
            assert said["confidence"] == figures(answer)["agreement"]


async def nothing_left(plane: Plane, redis_url: str, cost_micro_usd: int) -> None:
    """Settled is what the caller was told, and no less than the providers bill."""
    books = await books_of(plane, redis_url)
    money = books.money()
    assert (money["S"], money["R"], books.slots()) == (cost_micro_usd, 0, 0)
    bill = plane.main.bill()
    billed = bill.input_tokens * PRICE.input_token + bill.output_tokens * PRICE.output_token
    assert money["S"] + money["U"] >= billed // 1_000_000
    assert plane.sidecar._shared.gpu.used_bytes(f"{NAMESPACE}/p1") == 0
    assert plane.sidecar._shared.gpu.waiting(f"{NAMESPACE}/p1") == 0
    state = books.state(Group.of_namespace("test", NAMESPACE))
    assert not [field for field in state if field.endswith(":R") and int(state[field])]


def micro_usd(answer: Response) -> int:
    return round(float(answer.headers["x-penstock-cost-usd"]) * 1_000_000)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_twelve_models_of_mixed_speed_and_failure(
    plane: Plane, redis_url: str, stream: bool
) -> None:
    stalled = Broken("stall", after=3, answer=Ok("It may well be forty"))
    behaviours: list[Behaviour] = [
        *map(Ok, ("42", "Answer: 42", "42.0", "**42**", "41", "It is 43.")),
        *(Status(500), stalled, EMPTY, Status(429, retry_after="9")),
        *(Ok("42", first=asyncio.Event()), Ok("41"), Ok("42"), Ok("42")),
    ]
    script(plane, *behaviours)
    await publish(plane, twelve(plane))
    answer = await ask(plane, "expert", stream=stream)
    assert answer.status == 200
    consistent(answer)
    told = results(answer)
    assert {told["m7"], told["m9"], told["m10"]} <= {"failed", "overtaken"}
    assert (told["m8"], told["m11"]) == ("overtaken", "overtaken")
    assert 7 <= int(figures(answer)["answered"]) <= 8, "the quorum, or one more at the same time"
    winners = {name for name, result in told.items() if result in {"chosen", "agreed"}}
    assert winners <= {"m1", "m2", "m3", "m4", "m13", "m14"}
    for seen in plane.main.requests:
        if seen.model in {"upstream-m8", "upstream-m11"}:
            await within(10, seen.disconnected)
    await nothing_left(plane, redis_url, micro_usd(answer))


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_twelve_models_do_the_books_are_right(
    plane: Plane, redis_url: str, seed: int
) -> None:
    chance = Random(seed)
    kinds: list[Behaviour] = [
        *map(Ok, WORDS),
        *(Ok(text, first=0.01, each=0.01) for text in WORDS),
        Status(500),
        Status(429),
        Status(503, first=0.02),
        EMPTY,
        Broken("reset", after=2),
        Broken("malformed", after=2),
        Broken("stall", after=2),
        Ok("42", first=asyncio.Event()),
    ]
    await publish(plane, twelve(plane, seconds=1))
    cost_micro_usd = 0
    for _ in range(3):
        script(plane, *chance.choices(kinds, k=14))
        answer = await ask(plane, "expert", stream=chance.random() < 0.5)
        assert answer.status in {200, 502, 504}
        if answer.status == 200:
            consistent(answer)
        cost_micro_usd += micro_usd(answer)
    await nothing_left(plane, redis_url, cost_micro_usd)


async def test_models_that_do_not_fit_wait_for_those_that_do(plane: Plane) -> None:
    gates = [asyncio.Event() for _ in range(3)]
    script(plane, *(Ok(text, first=gate) for text, gate in zip("ABC", gates, strict=True)))
    models = tuple(named(number, vram_bytes=4 * GB) for number in (1, 2, 3))
    local = one_provider(plane, 1, models=models, gpu_memory_bytes=8 * GB)
    own = panel([1, 2, 3], {"medium": (3, 3)}, quorum=3)
    all_local = {"provider": local.id}
    candidates = tuple(each.model_copy(update=all_local) for each in own.candidates)
    await publish(plane, house([local], own.model_copy(update={"candidates": candidates})))
    gpu = plane.sidecar._shared.gpu
    asking = asyncio.create_task(ask(plane, model=PANEL))
    await plane.main.request(2)
    assert (gpu.used_bytes(local.id), gpu.waiting(local.id)) == (8 * GB, 1)
    first = plane.main.requests[0].model
    gates[int(first[-1]) - 1].set()
    await plane.main.request(3)
    assert (gpu.used_bytes(local.id), gpu.waiting(local.id)) == (8 * GB, 0)
    for gate in gates:
        gate.set()
    assert figures(await asking)["answered"] == "3"
    assert gpu.used_bytes(local.id) == 0
