"""Members that fail, and may work again: a whole sidecar, real Redis, scripted models."""

import asyncio
from collections.abc import Sequence
from typing import Final

import pytest

from penstock_cli.stub import Ok, Status
from penstock_config.provider import Health
from penstock_sidecar.health.breaker import Phase
from tests.planes.plane import NAMESPACE, Plane
from tests.sidecar.ensemble.house import (
    ask,
    figures,
    house,
    one_provider,
    panel,
    publish,
    results,
    script,
)
from tests.sidecar.redis_store.conftest import until

AT_ONCE: Final = Health(failure_threshold=1, cooldown_seconds=0.05)


async def serving(plane: Plane, order: Sequence[int], health: Health = AT_ONCE) -> None:
    providers = [one_provider(plane, number, health=health) for number in (1, 2, 3)]
    tier = panel(order, {"medium": (2, 3)}, seconds=3600, quorum=3)
    await publish(plane, house(providers, tier))


def phase(plane: Plane, number: int) -> Phase:
    """What the sidecar knows of a model."""
    breakers = plane.sidecar._shared.breakers
    found = {each.name: each for each in breakers.of_provider(f"{NAMESPACE}/p{number}")}
    breaker = found.get(f"chat/m{number}")
    return breaker.state(breakers.now()).phase if breaker else "closed"


@pytest.mark.parametrize("order", [(1, 2, 3), (2, 3, 1)], ids=["first", "last"])
async def test_one_request_tries_a_member_that_has_cooled_down(
    plane: Plane, order: Sequence[int]
) -> None:
    """The others go on without it, until there is a result."""
    await serving(plane, order)
    script(plane, Status(500), Ok("B"), Ok("C"))
    assert results(await ask(plane))["m1"] == "failed"
    await until(lambda: phase(plane, 1) == "half-open")
    works = asyncio.Event()
    script(plane, Ok("A", first=works), Ok("B"), Ok("C"))
    before = len(plane.main.requests)
    trying = asyncio.create_task(ask(plane))
    await plane.main.request(before + 3)
    assert sorted(results(await ask(plane))) == ["m2", "m3"]
    works.set()
    assert sorted(results(await trying)) == ["m1", "m2", "m3"]
    assert phase(plane, 1) == "closed"
    assert sorted(results(await ask(plane))) == ["m1", "m2", "m3"]


async def test_a_request_tries_several_members_and_gives_up_all_of_them(plane: Plane) -> None:
    await serving(plane, (1, 2, 3))
    script(plane, Status(500), Status(500), Ok("C"))
    await ask(plane)
    await until(lambda: phase(plane, 1) == phase(plane, 2) == "half-open")
    never = asyncio.Event()
    script(plane, *[Ok("A", first=never)] * 3)
    before = len(plane.main.requests)
    leaving = asyncio.create_task(ask(plane))
    await plane.main.request(before + 3)
    assert phase(plane, 1) == phase(plane, 2) == "open"
    leaving.cancel()
    await until(lambda: phase(plane, 1) == phase(plane, 2) == "half-open")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_prompts_that_providers_filter_take_no_model_from_others(
    plane: Plane, stream: bool
) -> None:
    await serving(plane, (1, 2, 3), Health(failure_threshold=1, cooldown_seconds=3600))
    script(plane, *[Ok("", finish="content_filter")] * 3)
    answer = await ask(plane, stream=stream)
    assert (answer.status, figures(answer)["answered"]) == (502, "0")
    assert answer.error["code"] == "empty_completion"
    assert [phase(plane, number) for number in (1, 2, 3)] == ["closed"] * 3
    script(plane, *[Ok("")] * 3)
    await ask(plane, stream=stream)
    assert [phase(plane, number) for number in (1, 2, 3)] == ["open"] * 3
