"""Managed providers on the real scheduler, with simulated nodes that have GPUs."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from penstock_operator.cluster import Cluster, connect
from penstock_operator.cluster.client import (
    DEPLOYMENTS,
    NAMESPACES,
    NODES,
    PODS,
    SERVICES,
    Document,
)
from penstock_operator.ollama.names import GROUP_LABEL, PROVIDER_LABEL
from tests.cluster.accounts import RBAC, rights, rights_to_run_models, service_account
from tests.cluster.control_plane import required_binaries
from tests.cluster.objects import (
    PROVIDERS,
    condition,
    delete,
    events_on,
    eventually,
    install_definitions,
    put,
)
from tests.cluster.own_plane import own_plane
from tests.cluster.processes import Process, operator_environment, running
from tests.cluster.simulated_nodes import GPU_TAINT, Simulated, simulated

pytestmark = pytest.mark.cluster

OWN, HOME = "penstock-system", "llm"
TEAM = {"key": "team", "value": "ml", "effect": "NoSchedule"}
BEARS_TEAM = {"key": "team", "operator": "Equal", "value": "ml", "effect": "NoSchedule"}
WAIT_SECONDS = 45


def gpu_node(
    name: str, product: str, memory: int, count: int = 1, *taints: dict[str, str]
) -> Simulated:
    labels = {"nvidia.com/gpu.product": product, "nvidia.com/gpu.memory": str(memory)}
    return Simulated(
        name,
        {"nvidia.com/gpu": str(count)},
        labels | {"nvidia.com/gpu.count": str(count)},
        (GPU_TAINT, *taints),
    )


L4 = gpu_node("l4", "NVIDIA-L4", 23034)
A100 = gpu_node("a100", "NVIDIA-A100-SXM4-80GB", 81920, 2, TEAM)
LAPTOP = gpu_node("rtx4070", "NVIDIA-GeForce-RTX-4070-Laptop-GPU", 8188)
MIG = Simulated(
    "mig",
    {"nvidia.com/mig-3g.20gb": "2"},
    {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB", "nvidia.com/mig-3g.20gb.memory": "19968"},
)
PLAIN = Simulated("plain", taints=())


@dataclass(frozen=True)
class World:
    """A control plane that schedules, simulated nodes, and the operator."""

    kubeconfig: Path
    alive: dict[str, Simulated]
    operator: Process


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    assets, directory = required_binaries(), tmp_path_factory.mktemp("placement")
    missing = [
        program
        for program in ("kube-controller-manager", "kube-scheduler")
        if not (assets / program).exists()
    ]
    if missing:
        pytest.skip(f"{assets} has no {' and no '.join(missing)}: envtest brings none")
    environment = {"ollama_namespaces": HOME, "redis_url": ""}
    with own_plane(assets, directory) as plane:
        plane.start_placing()
        limited = asyncio.run(prepare(plane.kubeconfig, directory))
        nodes = [L4, A100, LAPTOP, MIG, PLAIN]
        with (
            simulated(plane.kubeconfig, nodes) as alive,
            running(
                directory / "operator.log",
                operator_environment(limited, OWN, **environment),
            ) as operator,
        ):
            yield World(plane.kubeconfig, alive, operator)
            assert operator.stop() == 0, operator.log
        warned = [line for line in operator.log.splitlines() if '"level": "info"' not in line]
        assert warned == []


async def prepare(kubeconfig: Path, directory: Path) -> Path:
    """Namespaces, our kinds, and a kubeconfig of an operator that has the least rights."""
    async with connect(kubeconfig) as cluster:
        await install_definitions(cluster)
        for name in (OWN, HOME):
            await put(cluster, NAMESPACES, {"metadata": {"name": name}})
        for document in (*rights(OWN, HOME), *rights_to_run_models(OWN, HOME)):
            await put(cluster, RBAC[document["kind"]], document)
        return await service_account(cluster, kubeconfig, directory, OWN)


@pytest.fixture
async def cluster(world: World) -> AsyncIterator[Cluster]:
    """In the end without a provider, and with all nodes."""
    async with connect(world.kubeconfig) as found:
        yield found
        for each in await found.list(PROVIDERS, HOME):
            await delete(found, PROVIDERS, each["metadata"]["name"], HOME)
        for node in (L4, A100, LAPTOP, MIG):
            world.alive[node.name] = node

        async def gone() -> bool:
            return not await found.list(PODS, HOME)

        await eventually(gone, WAIT_SECONDS)
        if world.alive.pop("h100", None):
            await found.delete(NODES, "h100")


def managed(name: str, model: str, **ollama: Any) -> Document:
    return {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "LLMProvider",
        "metadata": {"name": name, "namespace": HOME},
        "spec": {
            "type": "ollama",
            "models": [{"name": model, "capabilities": ["chat"]}],
            "ollama": {"models": [{"name": model}], "gpu": {}} | ollama,
        },
    }


async def status_of(cluster: Cluster, name: str) -> Document:
    found: Document = (await cluster.get(PROVIDERS, name, HOME)).get("status", {})
    return found


async def pods_of(cluster: Cluster, name: str) -> list[Document]:
    found = await cluster.list(PODS, HOME, labels=f"{PROVIDER_LABEL}={name}")
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


async def runs_as_planned(cluster: Cluster, name: str, *nodes: str) -> Document:
    """The provider's status, once its pods run where it says, and that is on these nodes."""

    async def check() -> Document:
        document = await cluster.get(PROVIDERS, name, HOME)
        found = condition(document, "Scheduled")
        assert (found["status"], found["reason"]) == ("True", "Placed"), found
        planned = {
            each["group"]: each["node"]
            for each in document["status"]["placement"]
            if each["replicas"]
        }
        pods = await pods_of(cluster, name)
        bound = {p["metadata"]["labels"][GROUP_LABEL]: p["spec"].get("nodeName") for p in pods}
        assert bound == planned
        assert sorted(p["spec"]["nodeName"] for p in pods) == sorted(nodes)
        assert {p["status"]["phase"] for p in pods} == {"Running"}
        status: Document = document["status"]
        return status

    return await eventually(check, WAIT_SECONDS)


async def is_pending(cluster: Cluster, name: str) -> tuple[Document, Document]:
    """The provider's condition Scheduled and its only pod, once both say that there is no place."""

    async def check() -> tuple[Document, Document]:
        found = condition(await cluster.get(PROVIDERS, name, HOME), "Scheduled")
        assert found["status"] == "False", found
        pods = await pods_of(cluster, name)
        assert len(pods) == 1
        (pod,) = pods
        conditions = {each["type"]: each for each in pod["status"].get("conditions", ())}
        assert conditions["PodScheduled"]["reason"] == "Unschedulable"
        assert (pod["status"]["phase"], pod["spec"].get("nodeName")) == ("Pending", None)
        return found, pod

    return await eventually(check, WAIT_SECONDS)


async def test_pods_land_where_the_plan_says(cluster: Cluster) -> None:
    l4_alone = {"products": ["NVIDIA-L4"]}
    on_cpu = managed("on-cpu", "llama3.2:1b")
    del on_cpu["spec"]["ollama"]["gpu"]
    await put(cluster, PROVIDERS, managed("small", "llama3.2:3b"))
    await put(cluster, PROVIDERS, managed("middle", "qwen2.5:14b", gpu=l4_alone))
    await put(cluster, PROVIDERS, managed("sliced", "llama3.1:8b", gpu={"sharing": "MIG"}))
    await put(cluster, PROVIDERS, managed("large", "llama3.1:70b", tolerations=[BEARS_TEAM]))
    await put(cluster, PROVIDERS, on_cpu)
    await runs_as_planned(cluster, "small", "rtx4070")
    await runs_as_planned(cluster, "middle", "l4")
    await runs_as_planned(cluster, "sliced", "mig")
    await runs_as_planned(cluster, "large", "a100")

    async def runs_on_cpu() -> bool:
        nodes = [pod["spec"].get("nodeName") for pod in await pods_of(cluster, "on-cpu")]
        return nodes == ["plain"]

    await eventually(runs_on_cpu)
    small = await status_of(cluster, "small")
    (model,) = small["loading"]
    assert (model["name"], model["source"]) == ("llama3.2:3b", "table")
    assert 2000 < model["requiredMiB"] < 8188 - 1024
    assert ("Normal", "Placed") in await events_on(cluster, HOME, "small")


async def test_nothing_is_written_while_nothing_changes(world: World, cluster: Cluster) -> None:
    await put(cluster, PROVIDERS, managed("small", "llama3.2:3b"))
    await runs_as_planned(cluster, "small", "rtx4070")
    versions: list[str] = []

    async def settled() -> bool:
        provider = await cluster.get(PROVIDERS, "small", HOME)
        deployments = await cluster.list(DEPLOYMENTS, HOME)
        found = [each["metadata"]["resourceVersion"] for each in (provider, *deployments)]
        versions.append("/".join(found))
        applied = len(world.operator.events("fleet.applied"))
        versions[-1] += f"/{applied}"
        return len(versions) > 50 and len({*versions[-40:]}) == 1

    await eventually(settled, WAIT_SECONDS)


async def test_a_node_that_dies_has_its_models_moved(world: World, cluster: Cluster) -> None:
    await put(cluster, PROVIDERS, managed("small", "llama3.2:3b"))
    first = await runs_as_planned(cluster, "small", "rtx4070")
    del world.alive["rtx4070"]
    second = await runs_as_planned(cluster, "small", "l4")
    (old,), (new,) = first["placement"], second["placement"]
    assert old["group"] != new["group"]

    async def only_the_new_one_is_left() -> bool:
        found = await cluster.list(DEPLOYMENTS, HOME)
        return [each["metadata"]["name"] for each in found] == [new["group"]]

    await eventually(only_the_new_one_is_left, WAIT_SECONDS)


async def test_what_is_impossible_stays_pending_and_says_why(
    world: World, cluster: Cluster
) -> None:
    await put(cluster, PROVIDERS, managed("huge", "llama3.1:70b", gpu={"sharing": "Exclusive"}))
    said, pod = await is_pending(cluster, "huge")
    assert said["reason"] in {"InsufficientVRAM", "NotTolerated"}
    assert "MiB" in said["message"] or "taint" in said["message"]
    (asked,) = (
        each["resources"]["limits"]
        for each in pod["spec"]["containers"]
        if "nvidia.com/gpu" in each.get("resources", {}).get("limits", {})
    )
    assert asked["nvidia.com/gpu"] == "1"
    assert ("Warning", "Unschedulable") in await events_on(cluster, HOME, "huge")
    world.alive["h100"] = gpu_node("h100", "NVIDIA-H100-80GB-HBM3", 81559)
    await runs_as_planned(cluster, "huge", "h100")


async def test_a_second_smaller_provider_is_not_starved(cluster: Cluster) -> None:
    everywhere = {"tolerations": [BEARS_TEAM]}
    await put(cluster, PROVIDERS, managed("greedy", "llama3.2:3b", replicas=9, **everywhere))

    async def greedy_has_all() -> bool:
        bound = [p for p in await pods_of(cluster, "greedy") if p["spec"].get("nodeName")]
        return len(bound) == len(("l4", "rtx4070", "a100", "a100"))

    await eventually(greedy_has_all, WAIT_SECONDS)
    await put(cluster, PROVIDERS, managed("modest", "llama3.2:1b", **everywhere))

    async def modest_runs() -> bool:
        phases = [pod["status"]["phase"] for pod in await pods_of(cluster, "modest")]
        return phases == ["Running"]

    await eventually(modest_runs, WAIT_SECONDS)
    greedy = condition(await cluster.get(PROVIDERS, "greedy", HOME), "Scheduled")
    assert (greedy["status"], greedy["reason"]) == ("False", "NoGpuFree"), greedy


async def test_no_other_object_is_taken_over(cluster: Cluster) -> None:
    """A Service of that name, which somebody else made."""
    port = {"port": 80, "protocol": "TCP"}
    theirs = {"metadata": {"name": "taken", "namespace": HOME}, "spec": {"ports": [port]}}
    await put(cluster, SERVICES, theirs)
    await put(cluster, PROVIDERS, managed("taken", "llama3.2:3b"))

    async def said() -> bool:
        found = condition(await cluster.get(PROVIDERS, "taken", HOME), "Scheduled")
        assert "Service taken is there" in found["message"]
        return (found["status"], found["reason"]) == ("False", "WorkloadRefused")

    await eventually(said)
    service = await cluster.get(SERVICES, "taken", HOME)
    assert service["spec"]["ports"][0]["port"] == 80
    await cluster.delete(SERVICES, "taken", HOME)


async def test_what_is_no_longer_run_by_us_is_cleared_away(cluster: Cluster) -> None:
    document = managed("small", "llama3.2:3b")
    await put(cluster, PROVIDERS, document)
    await runs_as_planned(cluster, "small", "rtx4070")
    del document["spec"]["ollama"]
    document["spec"]["baseURL"] = "http://ollama.example.com:11434"
    await put(cluster, PROVIDERS, document)

    async def cleared() -> bool:
        status = await status_of(cluster, "small")
        assert not {"placement", "loading", "replicas"} & status.keys(), status
        assert "Scheduled" not in {each["type"] for each in status["conditions"]}
        services = [each["metadata"]["name"] for each in await cluster.list(SERVICES, HOME)]
        return not await cluster.list(DEPLOYMENTS, HOME) and "small" not in services

    await eventually(cleared, WAIT_SECONDS)
