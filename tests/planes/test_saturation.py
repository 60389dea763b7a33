"""Provider limits refuse every candidate of a tier: it falls back, waits, or says so."""

import asyncio
from typing import Literal

import pytest

from penstock_cli.stub import Status
from penstock_config.policy import Target
from penstock_config.provider import RateLimits
from penstock_config.queue import Queue
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Tier
from tests.planes.plane import NAMESPACE, Plane, chat

Way = Literal["Fallback", "Queue", "Reject"]


def saturated(plane: Plane, way: Way, queue: Queue) -> SidecarConfig:
    """`solo` may be asked twice in two seconds; `fast` has a model more."""
    config = plane.config(default=Target(tier=f"{NAMESPACE}/solo"))
    limits = RateLimits(requests_per_minute=2, window_seconds=2)
    main, backup = config.providers
    main = main.model_copy(update={"limits": limits})
    fast, solo = config.tiers
    changes = {"when_saturated": way, "queue": queue, "fallback_tiers": (fast.id,)}
    tiers: tuple[Tier, ...] = (fast, solo.model_copy(update=changes))
    return config.model_copy(update={"providers": (main, backup), "tiers": tiers})


async def statuses(plane: Plane, requests: int) -> list[tuple[int, str]]:
    answers = await asyncio.gather(
        *(plane.ask(chat(f"question {n}", model="auto")) for n in range(requests))
    )
    return sorted((a.status, a.headers.get("x-penstock-model", "")) for a in answers)


@pytest.mark.parametrize(
    ("way", "third"), [("Fallback", (200, "large")), ("Reject", (429, "small"))]
)
async def test_the_third_goes_on_or_is_refused(
    plane: Plane, way: Way, third: tuple[int, str]
) -> None:
    await plane.publish(saturated(plane, way, Queue()))
    found = await statuses(plane, 3)
    assert [f for f in found if f != (200, "small")] == [third] or third[0] == 429
    assert sum(f == (200, "small") for f in found) == 2


async def test_whoever_waits_is_served_in_his_turn(plane: Plane) -> None:
    await plane.publish(saturated(plane, "Queue", Queue(max_wait_seconds=30)))
    assert await statuses(plane, 5) == [(200, "small")] * 5


async def test_a_full_queue_refuses(plane: Plane) -> None:
    await plane.publish(saturated(plane, "Queue", Queue(max_wait_seconds=30, max_length=1)))
    found = [status for status, _ in await statuses(plane, 5)]
    assert found == [200, 200, 200, 429, 429]


async def test_nobody_waits_longer_than_he_may(plane: Plane) -> None:
    await plane.publish(saturated(plane, "Queue", Queue(max_wait_seconds=0.01)))
    assert [status for status, _ in await statuses(plane, 3)] == [200, 200, 429]


LIMITED_MS = 300


def limited(milliseconds: int) -> Status:
    """The provider's own refusal."""
    return Status(429, headers={"retry-after-ms": str(milliseconds)})


async def seconds_of(plane: Plane, status: int) -> float:
    began = asyncio.get_running_loop().time()
    assert [found for found, _ in await statuses(plane, 1)] == [status]
    return asyncio.get_running_loop().time() - began


async def test_a_provider_that_refuses_by_itself_is_asked_again_when_it_said(plane: Plane) -> None:
    await plane.publish(saturated(plane, "Queue", Queue()))
    plane.main.queue(limited(LIMITED_MS))
    assert await seconds_of(plane, 200) >= LIMITED_MS / 1000
    assert len(plane.main.requests) == 2


@pytest.mark.parametrize(
    "refusal", [Status(429), limited(2_000_000)], ids=["never says when", "says much later"]
)
async def test_it_is_not_asked_again_where_that_is_no_use(plane: Plane, refusal: Status) -> None:
    await plane.publish(saturated(plane, "Queue", Queue(max_wait_seconds=60)))
    plane.main.queue(refusal)
    assert await seconds_of(plane, 429) < 30
    assert len(plane.main.requests) == 1


async def test_who_waits_for_a_provider_s_time_stands_in_the_queue(plane: Plane) -> None:
    await plane.publish(saturated(plane, "Queue", Queue(max_length=1)))
    plane.main.always(limited(20_000))
    both = {asyncio.create_task(plane.ask(chat(f"{n}", model="auto"))) for n in range(2)}
    done, waiting = await asyncio.wait(both, timeout=15, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()
    (refused,) = [each.result() for each in done]
    assert refused.status == 429
    assert b"1 requests wait for this limit already" in refused.body
    assert int(refused.headers["retry-after"]) > 10


async def test_a_tier_s_queue_is_for_its_own_candidates(plane: Plane) -> None:
    """The tier before it has failed, and may be asked again sooner."""
    config = saturated(plane, "Queue", Queue())
    (fast, solo), (main, backup), (policy,) = config.tiers, config.providers, config.policies
    once = RateLimits(requests_per_minute=1, window_seconds=1)
    first = {"candidates": fast.candidates[1:], "fallback_tiers": (solo.id,)}
    update = {
        "providers": (main.model_copy(update={"limits": once}), backup),
        "tiers": (fast.model_copy(update=first), solo.model_copy(update={"fallback_tiers": ()})),
        "policies": (policy.model_copy(update={"default": Target(tier=fast.id)}),),
    }
    await plane.publish(config.model_copy(update=update))
    plane.backup.always(Status(503, retry_after="0"))
    assert await statuses(plane, 2) == [(200, "small")] * 2
    assert len(plane.backup.requests) == 2
