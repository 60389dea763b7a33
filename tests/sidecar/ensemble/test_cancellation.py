"""A caller may leave an ensemble at any moment: every model's part is given back or settled."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import orjson
import pytest

from penstock_cli.stub import Broken, Ok, Status
from penstock_config.policy import CallerLimit
from penstock_config.provider import Health
from penstock_config.tier import Judge
from penstock_sidecar.model import Request
from penstock_sidecar.normalise.openai import parse_chat
from tests.planes.plane import NAMESPACE, PRICE, Plane, chat
from tests.planes.test_cancellation import EVERYTHING, awaits, left_behind, serve
from tests.sidecar.ensemble.house import (
    PANEL,
    TeamBooks,
    behind,
    daily,
    house,
    named,
    one_provider,
    panel,
    publish,
    script,
)

GB = 2**30
SCENARIOS: Mapping[str, Sequence[Ok | Status | Broken]] = {
    "answered": (Ok("one two"), Ok("three four"), Ok("five six"), Ok("2")),
    "failing": (Status(500), Ok("one two"), Broken("reset", after=3), Ok("1")),
    "failing everywhere": (Status(500), Status(503), Ok(""), Ok("1")),
}


def request(content: str, *, stream: bool) -> Request:
    body = orjson.dumps(chat(content, model=PANEL, stream=stream, max_tokens=20))
    return parse_chat(body, {"x-penstock-complexity": "medium"}, "call")


async def publish_panel(plane: Plane) -> None:
    """Three models, two of which fit on their card, and a judge; with every kind of limit."""
    limits = {"limits": EVERYTHING, "health": Health(failure_threshold=10**9)}
    on_a_card = {"gpu_memory_bytes": 8 * GB, **limits}
    sized = [named(number, vram_bytes=5 * GB) for number in (1, 2, 3, 4)]
    providers = [one_provider(plane, n, sized[n - 1], **on_a_card) for n in (1, 2, 3, 4)]
    judge = Judge(provider=f"{NAMESPACE}/p4", model="m4")
    tier = panel([1, 2, 3], {"medium": (3, 3)}, quorum=3, consensus="Judge", judge=judge)
    per_app = CallerLimit(name="app", per="App", limits=EVERYTHING)
    await publish(plane, house(providers, tier, budgets=[daily(10**12)], limits=(per_app,)))


def billed_micro_usd(plane: Plane) -> int:
    bill = plane.main.bill()
    pico_usd = bill.input_tokens * PRICE.input_token + bill.output_tokens * PRICE.output_token
    return pico_usd // 1_000_000


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_an_ensemble_cancelled_anywhere_leaves_nothing_behind(
    plane: Plane, redis_url: str, scenario: str, stream: bool
) -> None:
    """Each time that the ensemble waits one model answers: none comes together with another, so
    that it waits for each."""
    turns = asyncio.Semaphore(0)

    def serving(words: str) -> Coroutine[Any, Any, None]:
        nonlocal turns
        turns = asyncio.Semaphore(0)
        script(plane, *(behind(turns, each) for each in SCENARIOS[scenario]))
        return serve(plane, request(words, stream=stream))

    def suspended() -> None:
        turns.release()

    await publish_panel(plane)
    books = TeamBooks(redis_url)

    async def look(where: str) -> None:
        assert not any((await left_behind(plane)).values()), where
        assert (books.slots(), books.money()["R"]) == (0, 0), where
        assert plane.sidecar._shared.gpu.used_bytes(f"{NAMESPACE}/p1") == 0, where
        money = books.money()
        assert money["S"] + money["U"] >= billed_micro_usd(plane), where

    number = await awaits(serving, look, suspended)
    assert number > 3, "the scenario was cancelled on its way"
