"""What there is of managed providers, as the API server lists it."""

from pathlib import Path

from penstock_operator.handlers.fleet_sight import runs_of, sight_of
from tests.operator.handlers.fleet_api import FleetApi, served
from tests.operator.handlers.test_fleet import World


def _pod(name: str, node: str, **resources: str) -> dict[str, object]:
    return {
        "metadata": {
            "name": name,
            "namespace": "llm",
            "uid": f"uid-{name}",
            "labels": {"penstock.dev/provider": "own", "penstock.dev/placement-group": "gone"},
            "deletionTimestamp": "2026-11-22T00:00:00Z",
        },
        "spec": {"nodeName": node, "containers": [{"resources": {"limits": resources}}]},
    }


async def test_pods_of_a_deployment_that_is_gone_are_none_of_its_and_hold_gpus(
    tmp_path: Path,
) -> None:
    world = World(None)
    world.note()
    pods = {"p": _pod("p", "a", **{"nvidia.com/gpu": "1"}), "q": _pod("q", "b", cpu="1")}
    async with served(FleetApi(pods=pods), tmp_path) as cluster:
        sight = await sight_of(cluster, runs_of(world.inventory))
    assert sight.pods == {"llm/own": ()}
    assert sight.hosts == {"a"}
