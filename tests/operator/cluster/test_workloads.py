"""What is read of workloads and hardware, and how often it is asked for."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from penstock_operator.cluster import Cluster, connect
from penstock_operator.cluster.workloads import (
    NODES_ONE_BY_ONE,
    all_nodes,
    gpu_readings,
    own_workloads,
    pods_on,
)
from penstock_operator.handlers.fleet_hardware import HardwareLooks
from penstock_operator.ollama.gpus import GpuReading, NodeGpus, encode_gpus
from penstock_operator.ollama.names import GPU_INVENTORY_KEY, gpu_inventory_name
from tests.operator.cluster.api_server import api_server, status

AT = datetime(2026, 11, 22, tzinfo=UTC)


def node(name: str, gpus: int = 1, *, ready: str = "True") -> dict[str, Any]:
    labels = {"nvidia.com/gpu.product": "NVIDIA-L4", "nvidia.com/gpu.memory": "23034"}
    return {
        "metadata": {"name": name, "labels": labels, "annotations": {"large": "x" * 1000}},
        "spec": {"podCIDR": "10.0.0.0/24"},
        "status": {
            "allocatable": {"nvidia.com/gpu": str(gpus)},
            "images": [{"names": ["large"]}],
            "conditions": [{"type": "Ready", "status": ready}, {"type": "DiskPressure"}],
        },
    }


def pod(on: str, gpus: int = 1) -> dict[str, Any]:
    limits = {"nvidia.com/gpu": str(gpus)}
    container = {"name": "c", "env": [{"name": "LARGE"}], "resources": {"limits": limits}}
    return {"metadata": {"name": "p"}, "spec": {"nodeName": on, "containers": [container]}}


def inventory(of: str, name: str = "", *, at: datetime = AT, used: int = 0) -> dict[str, Any]:
    gpu = GpuReading(index=0, uuid="GPU-0", product="NVIDIA-A10", memory_mib=24_000, used_mib=used)
    reading = NodeGpus(node=of, observed_at=at, gpus=(gpu,))
    return {
        "metadata": {"name": name or gpu_inventory_name(of)},
        "data": {GPU_INVENTORY_KEY: encode_gpus(reading)},
    }


@dataclass
class Api:
    """Lists by plural, and what was asked."""

    lists: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    refuses: set[str] = field(default_factory=set)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        plural = request.path.rsplit("/", 1)[-1]
        self.asked.append((request.path, dict(request.query)))
        if plural in self.refuses:
            return status(403, "no")
        return web.Response(text=json.dumps({"items": self.lists.get(plural, [])}))

    def times(self, plural: str) -> int:
        return sum(path.endswith(f"/{plural}") for path, _ in self.asked)


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
async def cluster(api: Api, tmp_path: Path) -> AsyncIterator[Cluster]:
    async with api_server(api.answer, tmp_path) as kubeconfig, connect(kubeconfig) as found:
        yield found


async def test_our_own_are_asked_for_by_label_and_namespace_out_of_memory(
    api: Api, cluster: Cluster
) -> None:
    api.lists = {"pods": [pod("a")], "deployments": [node("d")]}
    own = await own_workloads(cluster, "llm", claims=False)
    assert (len(own.pods), len(own.deployments), own.claims) == (1, 1, ())
    assert [query for _, query in api.asked] == [
        {"resourceVersion": "0", "labelSelector": "penstock.dev/provider"}
    ] * 2
    assert all("/namespaces/llm/" in path for path, _ in api.asked)
    await own_workloads(cluster, "llm", claims=True)
    assert api.times("persistentvolumeclaims") == 1


async def test_of_nodes_no_more_is_kept_than_is_looked_at(api: Api, cluster: Cluster) -> None:
    api.lists["nodes"] = [node("a")]
    (found,) = await all_nodes(cluster)
    assert "large" not in json.dumps(found)
    assert found["status"]["conditions"] == [{"type": "Ready", "status": "True"}]


async def test_a_few_nodes_pods_are_asked_for_one_by_one_and_many_at_once(
    api: Api, cluster: Cluster
) -> None:
    api.lists["pods"] = [pod("n1"), pod("elsewhere")]
    found = await pods_on(cluster, ["n1", "n2"])
    assert len(found) == 4  # the stand-in does not select
    assert "LARGE" not in json.dumps(found)
    assert [query["fieldSelector"].split(",")[0] for _, query in api.asked] == [
        "spec.nodeName=n1",
        "spec.nodeName=n2",
    ]
    api.asked.clear()
    many = [f"n{number}" for number in range(NODES_ONE_BY_ONE + 1)]
    (only,) = await pods_on(cluster, many)
    assert only["spec"]["nodeName"] == "n1"
    ((path, query),) = api.asked
    assert (path, query["limit"]) == ("/api/v1/pods", "500")


async def test_an_agent_speaks_for_its_own_node_alone(api: Api, cluster: Cluster) -> None:
    other = inventory("victim", gpu_inventory_name("mine"))
    broken = {"metadata": {"name": gpu_inventory_name("b")}, "data": {GPU_INVENTORY_KEY: "{"}}
    api.lists["configmaps"] = [inventory("a"), other, broken, {"metadata": {"name": "x"}}]
    assert [*await gpu_readings(cluster, "penstock-system")] == ["a"]


@dataclass
class Clock:
    seconds: float = 0.0

    def even(self) -> float:
        return self.seconds

    def wall(self) -> datetime:
        return AT + timedelta(seconds=self.seconds)


async def test_hardware_is_looked_at_as_often_as_it_is_worth(api: Api, cluster: Cluster) -> None:
    clock = Clock()
    api.lists = {"nodes": [node("a"), node("b", ready="False")], "configmaps": [inventory("a")]}
    looks = HardwareLooks(cluster, "penstock-system", clock.even, clock.wall)
    for _ in range(3):
        found = await looks.look([])
    assert (api.times("nodes"), api.times("pods")) == (1, 2)
    assert found.nodes
    assert [(n.name, n.usable, n.slots[0].product) for n in found.nodes] == [
        ("a", True, "NVIDIA-A10"),
        ("b", False, "NVIDIA-L4"),
    ]
    assert found.dead == {"b"}
    clock.seconds = 5
    await looks.look([])
    assert (api.times("nodes"), api.times("pods")) == (2, 2)
    api.lists["pods"] = [pod("a")]
    clock.seconds = 30
    found = await looks.look([])
    assert found.nodes is not None
    assert [each.slots for each in found.nodes if each.name == "a"] == [()]
    api.lists["nodes"] = [node(f"n{number}", gpus=0) for number in range(500)]
    clock.seconds = 100
    await looks.look([])
    before = api.times("nodes")
    clock.seconds = 109
    await looks.look([])
    assert api.times("nodes") == before
    clock.seconds = 110
    await looks.look([])
    assert api.times("nodes") == before + 1


async def test_a_node_is_lost_until_it_was_ready_for_a_while(api: Api, cluster: Cluster) -> None:
    clock = Clock()
    api.lists = {"nodes": [node("a"), node("b", ready="False")]}
    looks = HardwareLooks(cluster, "own", clock.even, clock.wall)
    assert (await looks.look([])).lost == {"b"}
    api.lists["nodes"] = [node("a"), node("b")]
    clock.seconds = 59
    found = await looks.look([])
    assert not found.dead
    assert found.lost == {"b"}
    clock.seconds = 60
    assert (await looks.look([])).lost == frozenset()
    api.lists["nodes"] = [node("a", ready="False")]
    clock.seconds = 65
    assert (await looks.look([])).lost == {"a"}
    api.lists["nodes"] = []
    clock.seconds = 70
    assert (await looks.look([])).lost == frozenset(), "one that is deleted does not come back"


async def test_what_our_last_pod_held_is_ours_for_a_while(api: Api, cluster: Cluster) -> None:
    clock = Clock()
    reading = inventory("a", used=20_000)
    api.lists = {"nodes": [node("a")], "configmaps": [reading]}
    looks = HardwareLooks(cluster, "own", clock.even, clock.wall)

    async def foreign(*ours: str) -> int:
        found = await looks.look(ours)
        assert found.nodes
        return found.nodes[0].slots[0].foreign_mib

    assert await foreign("a") == 0
    clock.seconds = 29
    assert await foreign() == 0
    clock.seconds = 30
    assert await foreign() > 0


async def test_readings_that_are_old_say_nothing(api: Api, cluster: Cluster) -> None:
    clock = Clock()
    old = inventory("a", at=AT - timedelta(seconds=91))
    api.lists = {"nodes": [node("a")], "configmaps": [old]}
    found = await HardwareLooks(cluster, "own", clock.even, clock.wall).look([])
    assert found.nodes
    assert found.nodes[0].slots[0].product == "NVIDIA-L4"


async def test_who_may_not_see_pods_leaves_it_to_the_scheduler(api: Api, cluster: Cluster) -> None:
    clock = Clock()
    api.lists, api.refuses = {"nodes": [node("a")]}, {"pods"}
    looks = HardwareLooks(cluster, "own", clock.even, clock.wall)
    assert (await looks.look([])).nodes
    api.refuses = {"nodes"}
    clock.seconds = 99
    assert (await looks.look([])).nodes, "what was seen last stays"


async def test_who_may_not_see_nodes_is_told_so(api: Api, cluster: Cluster) -> None:
    clock = Clock()
    api.refuses = {"nodes"}
    found = await HardwareLooks(cluster, "own", clock.even, clock.wall).look([])
    assert found.nodes is None
    assert "may not list nodes" in found.why
