"""Provider limits refuse every candidate of a tier: it falls back, waits, or says so."""

import asyncio
from typing import Literal

import pytest

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
