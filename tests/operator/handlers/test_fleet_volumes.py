"""Volumes with models: what may not grow, whose node is away, what sleeps."""

from pathlib import Path

import pytest

from tests.operator.handlers.test_fleet import World
from tests.operator.handlers.waiting import until


@pytest.fixture
def world(redis_url: str) -> World:
    found = World(redis_url)
    found.api.add_node("a")
    return found


async def test_a_claim_that_may_not_grow_keeps_nobody_from_waking(
    world: World, tmp_path: Path
) -> None:
    world.note(ollama={"storage": {"size": "1Gi"}})
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "Placed"))
        (name,) = world.api.names("deployments")
        world.note(ollama={"replicas": 0, "storage": {"size": "1Gi"}}, generation=2)
        await until(lambda: world.condition() == ("True", "NothingWanted"))
        world.api.refuses["PATCH", "persistentvolumeclaims"] = 422
        world.note(ollama={"storage": {"size": "2Gi"}}, generation=3)
        await until(lambda: world.condition() == ("False", "WorkloadRefused"))
        assert world.api.objects["deployments", name]["spec"]["replicas"] == 1
        world.api.refuses.clear()
        await world.passes(61)
        await until(lambda: world.condition() == ("True", "Placed"))


async def test_without_a_claim_no_deployment_is_made(world: World, tmp_path: Path) -> None:
    world.api.refuses["PATCH", "persistentvolumeclaims"] = 403
    world.note(ollama={"storage": {"size": "1Gi"}})
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("False", "WorkloadRefused"))
    assert world.api.names("deployments") == []
