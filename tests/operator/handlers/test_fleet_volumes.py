"""Volumes with models: what may not grow, whose node is away, what sleeps."""

from pathlib import Path

import pytest
import redis

from tests.operator.handlers.test_fleet import OWN, READY, ZERO, World, ask
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


async def test_a_node_that_is_away_for_a_while_finds_its_models_again(
    world: World, tmp_path: Path
) -> None:
    world.note(ollama={"storage": {"size": "1Gi"}})
    world.loader.says(READY)
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "Placed"))
        (name,) = world.api.names("deployments")
        world.api.run_pods()
        await until(lambda: world.condition("ModelsReady") == ("True", "Serving"))
        world.api.kill_node("a")
        await world.passes(10)
        await until(lambda: world.condition() == ("False", "NoNode"))
        world.api.add_node("a")
        await world.passes(10)
        await until(lambda: world.condition() == ("True", "Placed"))
        await until(lambda: world.api.names("deployments") == [name])
    assert f"delete persistentvolumeclaims {name}-models" not in world.api.writes


async def test_a_claim_that_is_going_is_made_anew(world: World, tmp_path: Path) -> None:
    world.note(ollama={"storage": {"size": "1Gi"}})
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "Placed"))
        (name,) = world.api.names("persistentvolumeclaims")
        key = "persistentvolumeclaims", name
        world.api.objects[key]["metadata"]["deletionTimestamp"] = "2026-11-22T00:00:00Z"
        await world.passes(61)
        assert "deletionTimestamp" in world.api.objects[key]["metadata"]
        del world.api.objects[key]
        await world.passes()
        await until(lambda: key in world.api.objects)


async def test_the_first_request_wakes_one_and_lets_the_others_sleep(
    world: World, redis_url: str, tmp_path: Path
) -> None:
    world.api.add_node("b")
    world.note(ollama={"autoscaling": ZERO, "storage": {"size": "1Gi"}})
    world.loader.says(READY)
    with redis.Redis.from_url(redis_url) as client:
        async with world.leading(tmp_path):
            ask(client, waiting=7)
            await until(lambda: len(world.api.names("deployments")) == 2)
            names = world.api.names("deployments")
            world.api.run_pods()
            await until(lambda: world.condition("ModelsReady") == ("True", "Serving"))
            client.delete(OWN.demand)
            await world.passes(301)
            await until(lambda: world.condition() == ("True", "NothingWanted"))
            ask(client, waiting=1)
            await until(lambda: world.condition() == ("True", "Placed"))
            await world.passes()
            assert world.message().startswith("1 pods for 1 replicas, on a.")
    found = [world.api.objects["deployments", name]["spec"]["replicas"] for name in names]
    assert sorted(found) == [0, 1]
    assert not [w for w in world.api.writes if w.startswith("delete persistentvolumeclaims")]
