"""How a tier chooses, through a whole sidecar; and what it says of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from penstock_cli.stub import EMPTY, Broken, Ok, Status
from penstock_config.classification import COMPLEXITIES
from penstock_config.provider import RateLimits
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate, Floor
from tests.planes.plane import NAMESPACE, Plane, chat, running_plane
from tests.sidecar.http.edge import Response

SECRET = "my aunt Mathilda's recipe"
REFUSAL = Ok("I'm sorry, but I can't help with that.")
PATIENCE_SECONDS = 20
BOTH = tuple(
    Candidate(provider=f"{NAMESPACE}/{provider}", model=model)
    for provider, model in (("main", "small"), ("backup", "large"))
)


def choosing(plane: Plane, **changes: Any) -> SidecarConfig:
    """Tier `fast` chooses between both; each is as good as the other."""
    config = plane.config()
    fast, solo = config.tiers
    changed = fast.model_copy(update={"candidates": BOTH, **changes})
    return config.model_copy(update={"tiers": (changed, solo)})


def limited(config: SidecarConfig, **limits: RateLimits) -> SidecarConfig:
    """By the provider's name."""
    names = (p.id.partition("/")[2] for p in config.providers)
    providers = tuple(
        p.model_copy(update={"limits": limits.get(name, p.limits)})
        for name, p in zip(names, config.providers, strict=True)
    )
    return config.model_copy(update={"providers": providers})


def preferring_main(config: SidecarConfig) -> SidecarConfig:
    """By the platform team's figures its model is a little better."""
    providers = tuple(
        p.model_copy(update={"models": (p.models[0].model_copy(update={"quality": quality}),)})
        for p, quality in zip(config.providers, (90, 80), strict=True)
    )
    return config.model_copy(update={"providers": providers})


async def debugged(plane: Plane, **fields: Any) -> tuple[Response, dict[str, Any]]:
    response = await plane.ask(chat(SECRET, **fields), **{"x-penstock-debug": "true"})
    header = response.headers["x-penstock-debug"]
    assert len(header) <= 4_000
    assert "Mathilda" not in header
    found = json.loads(header)
    assert isinstance(found, dict)
    return response, found


@pytest.mark.parametrize("stream", [False, True])
async def test_who_asks_is_told_how_his_way_was_chosen(plane: Plane, *, stream: bool) -> None:
    response, told = await debugged(plane, stream=stream)
    assert response.status == 200
    assert (told["rule"], told["target"]) == ("tier", f"tier:{NAMESPACE}/fast")
    assert told["chosen"] == f"{NAMESPACE}/main/small"
    assert [c["candidate"] for c in told["candidates"]] == [
        f"{NAMESPACE}/main/small",
        f"{NAMESPACE}/backup/large",
    ]
    assert told["candidates"][0]["strategy"] == "Weighted"
    assert float(told["candidates"][0]["costUSD"]) > 0
    assert told["dropped"] == []
    assert {"task", "complexity", "confidence", "signals"} <= told.keys()


async def test_nobody_else_is_told(plane: Plane) -> None:
    for headers in ({}, {"x-penstock-debug": "false"}):
        assert "x-penstock-debug" not in (await plane.ask(chat(), **headers)).headers


async def test_an_error_says_who_was_tried_and_who_was_not(plane: Plane) -> None:
    plane.main.always(Status(500))
    plane.backup.always(Status(500))
    response, told = await debugged(plane)
    assert response.status == 502
    assert told["chosen"] == f"{NAMESPACE}/backup/large"
    assert len(told["candidates"]) == 2


async def test_a_drop_is_named_with_its_reason_and_counted(plane: Plane) -> None:
    floors = tuple(Floor(complexity=each, max_cost=0) for each in COMPLEXITIES)
    await plane.publish(choosing(plane, floors=floors))
    _, told = await debugged(plane)
    assert {(d["kind"], d["last"]) for d in told["dropped"]} == {("cost", True)}
    assert "costs about $" in told["dropped"][0]["reason"]
    metrics = (await plane.probe("/metrics")).body.decode()
    labels = f'policy="{NAMESPACE}/shop",reason="cost"'
    assert f"penstock_candidates_dropped_total{{{labels}}} 2.0" in metrics


async def test_a_tier_that_rejects_says_what_nobody_meets(plane: Plane) -> None:
    floors = tuple(Floor(complexity=each, min_quality=99) for each in COMPLEXITIES)
    await plane.publish(choosing(plane, floors=floors, on_no_fit="Reject"))
    response, told = await debugged(plane)
    assert response.status == 400
    error = json.loads(response.body)["error"]
    assert error["code"] == "no_model_fits"
    assert "quality unknown, less than 9.9" in error["message"]
    assert told["target"] == f"tier:{NAMESPACE}/fast"
    assert not plane.main.requests
    assert not plane.backup.requests


async def served_by(plane: Plane, count: int, **fields: Any) -> list[str]:
    found = []
    for _ in range(count):
        response = await plane.ask(chat(**fields))
        assert response.status == 200
        found.append(response.headers["x-penstock-model"])
    return found


async def test_round_robin_takes_turns(plane: Plane) -> None:
    await plane.publish(choosing(plane, strategy="RoundRobin"))
    turns = await served_by(plane, 6)
    assert turns in (["small", "large"] * 3, ["large", "small"] * 3)


async def test_most_headroom_uses_both_quotas_in_step(plane: Plane) -> None:
    config = limited(
        choosing(plane, strategy="MostHeadroom"),
        main=RateLimits(requests_per_day=8),
        backup=RateLimits(requests_per_day=24),
    )
    await plane.publish(config)
    turns = await served_by(plane, 28)
    assert turns.count("small") == pytest.approx(7, abs=1)


async def test_a_used_up_limit_is_not_asked_first_again(plane: Plane) -> None:
    config = limited(choosing(plane), main=RateLimits(requests_per_day=2))
    await plane.publish(config)
    while (await served_by(plane, 1)) == ["large"] or len(plane.main.requests) < 2:
        pass
    for _ in range(8):
        response, told = await debugged(plane)
        assert response.headers["x-penstock-attempted-fallbacks"] == "0"
        assert told["dropped"][0]["kind"] == "headroom"


@pytest.mark.parametrize(
    "bad", [REFUSAL, EMPTY, Broken("close", after=1)], ids=["refusal", "empty", "cut"]
)
async def test_adaptive_turns_from_who_answers_badly(plane: Plane, bad: Any) -> None:
    await plane.publish(preferring_main(choosing(plane, strategy="Adaptive")))
    assert (await served_by(plane, 9)).count("small") > 5
    plane.main.always(bad)
    for _ in range(12):
        await plane.ask(chat(stream=True))
    before = len(plane.main.requests)
    for _ in range(40):
        await plane.ask(chat(stream=True))
    score = f'penstock_response_quality_score{{model="{NAMESPACE}/backup/large",task="chat"}} 1.0'
    assert score in (await plane.probe("/metrics")).body.decode()
    asked = len(plane.main.requests) - before
    assert asked <= 40 * 0.3, "no more than exploration allows, and a nudge for each"


async def test_adaptive_returns_to_who_answers_well_again(plane: Plane) -> None:
    await plane.publish(preferring_main(choosing(plane, strategy="Adaptive")))
    plane.main.always(REFUSAL)
    assert (await served_by(plane, 20)).count("small") <= 6
    plane.main.always(Ok("Here is what you asked for."))
    for _ in range(30):
        await plane.ask(chat(model="small"))
    assert (await served_by(plane, 20)).count("small") >= 14


async def test_another_sidecar_learns_from_it_within_a_second(
    tmp_path: Path, redis_url: str
) -> None:
    async with AsyncExitStack() as stack:
        planes = []
        for name in ("one", "two"):
            folder = tmp_path / name
            folder.mkdir()
            planes.append(await stack.enter_async_context(running_plane(folder, redis_url)))
        teacher, pupil = planes
        for plane in planes:
            await plane.publish(choosing(plane, strategy="Adaptive"))
        for stub in (pupil.main, pupil.backup):
            stub.always(Status(400))  # teaches nothing
        teacher.main.always(REFUSAL)
        for _ in range(12):
            await teacher.ask(chat(SECRET, model="small"))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await is_worse(pupil, "main/small", than="backup/large"):  # noqa: ASYNC110  # what others know has no event
                await asyncio.sleep(0.05)


async def is_worse(plane: Plane, candidate: str, *, than: str) -> bool:
    return await score_of(plane, candidate) < 0.9 * await score_of(plane, than)


async def score_of(plane: Plane, candidate: str) -> float:
    _, told = await debugged(plane)
    scores = {c["candidate"]: c["score"] for c in told["candidates"]}
    return float(scores[f"{NAMESPACE}/{candidate}"])


@pytest.fixture
async def plane(tmp_path: Path, redis_url: str) -> AsyncIterator[Plane]:
    async with running_plane(tmp_path, redis_url) as running:
        yield running
