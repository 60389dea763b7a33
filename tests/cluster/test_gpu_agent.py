"""The node agent on a real API server, as the account and with the rights that the chart gives."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from penstock_operator.cluster import Cluster, Forbidden, NotFound, connect
from penstock_operator.cluster.client import CONFIG_MAPS, Document
from penstock_operator.ollama.gpus import NodeGpus, decode_gpus
from penstock_operator.ollama.names import gpu_inventory_name
from tests.agent.agent_process import Agent, agent
from tests.agent.nvml_library import GIB, Machine, build, gpu, machine_with
from tests.chart.rendering import NONE, VARIANTS, named, program, render
from tests.cluster.accounts import granted, service_account
from tests.cluster.objects import eventually, with_definitions

pytestmark = pytest.mark.cluster
NODE = "gpu-1.example"


@pytest.fixture(scope="module")
def server(kubeconfig: Path) -> Path:
    """The plain one alone: custom resources have no part in it."""
    return with_definitions(kubeconfig)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("nvml"))


def rights(namespace: str) -> list[Document]:
    """The chart's for the agents' account."""
    if program() is None:
        pytest.skip(NONE)
    documents = render(VARIANTS["agent"])
    found = [named(documents, kind, "penstock-agent") for kind in ("Role", "RoleBinding")]
    for document in found:
        document["metadata"]["namespace"] = namespace
    found[1]["subjects"][0]["namespace"] = namespace
    return found


@asynccontextmanager
async def account(
    cluster: Cluster, server: Path, directory: Path, namespace: str
) -> AsyncIterator[Path]:
    path = await service_account(cluster, server, directory, namespace, "penstock-agent")
    async with granted(cluster, rights(namespace)):
        yield path


@asynccontextmanager
async def running(
    cluster: Cluster, server: Path, namespace: str, machine: Machine
) -> AsyncIterator[Agent]:
    directory = machine.state.parent
    settings = {"PENSTOCK_NAMESPACE": namespace, "PENSTOCK_NODE_NAME": NODE}
    async with (
        account(cluster, server, directory, namespace) as kubeconfig,
        agent(machine, kubeconfig, directory, settings) as found,
    ):
        yield found


async def inventory(cluster: Cluster, namespace: str, node: str = NODE) -> NodeGpus | None:
    document = await cluster.get(CONFIG_MAPS, gpu_inventory_name(node), namespace)
    return decode_gpus(document["data"]["gpus.json"])


async def test_a_node_s_gpus_are_told_and_changes_follow(
    cluster: Cluster, server: Path, home: str, library: Path, tmp_path: Path
) -> None:
    machine = Machine(library, tmp_path / "nvml")
    async with running(cluster, server, home, machine) as process:

        async def told(gpus: int, message: str) -> NodeGpus | None:
            found = await inventory(cluster, home)
            assert found is not None
            return found if len(found.gpus) == gpus and message in found.message else None

        await eventually(lambda: told(0, "Driver Not Loaded"))
        machine.say(machine_with(gpu(0), gpu(1, used=9 * GIB)))
        found = await eventually(lambda: told(2, ""))
        assert found is not None
        assert found.is_fresh(found.observed_at)
        assert [each.used_mib for each in found.gpus] == [512, 512 + 9 * 1024]
        assert await process.stop() == 0
    (listed,) = await cluster.list(CONFIG_MAPS, home, labels="penstock.dev/gpu-inventory=true")
    managers = {each["manager"] for each in listed["metadata"]["managedFields"]}
    assert managers == {"penstock-agent"}


async def test_what_others_add_to_it_is_left_alone(
    cluster: Cluster, server: Path, home: str, library: Path, tmp_path: Path
) -> None:
    machine = Machine(library, tmp_path / "nvml")
    machine.say(machine_with(gpu(0)))
    name = gpu_inventory_name(NODE)
    theirs = {"metadata": {"name": name, "namespace": home, "labels": {"team": "ml"}}}
    await cluster.apply(CONFIG_MAPS, theirs, manager="somebody")
    async with running(cluster, server, home, machine):

        async def told() -> Document:
            document = await cluster.get(CONFIG_MAPS, name, home)
            assert document.get("data")
            return document

        assert (await eventually(told))["metadata"]["labels"]["team"] == "ml"


async def test_a_config_map_that_is_deleted_comes_again(
    cluster: Cluster, server: Path, home: str, library: Path, tmp_path: Path
) -> None:
    """With the next write: an idle node's follows within half a minute."""
    machine = Machine(library, tmp_path / "nvml")
    machine.say(machine_with(gpu(0)))
    async with running(cluster, server, home, machine):
        await eventually(lambda: inventory(cluster, home))
        await cluster.delete(CONFIG_MAPS, gpu_inventory_name(NODE), home)
        machine.say(machine_with(gpu(0, used=5 * GIB)))
        found = await eventually(lambda: inventory(cluster, home))
    assert found is not None
    assert found.gpus[0].used_mib == 512 + 5 * 1024


async def test_the_longest_name_of_a_node_is_taken(
    cluster: Cluster, server: Path, home: str, library: Path, tmp_path: Path
) -> None:
    machine = Machine(library, tmp_path / "nvml")
    machine.say(machine_with(gpu(0)))
    node = ".".join(["a" * 60] * 4) + "." + "b" * 9
    settings = {"PENSTOCK_NAMESPACE": home, "PENSTOCK_NODE_NAME": node}
    async with (
        account(cluster, server, tmp_path, home) as kubeconfig,
        agent(machine, kubeconfig, tmp_path, settings),
    ):
        found = await eventually(lambda: inventory(cluster, home, node))
    assert found is not None
    assert found.node == node


async def test_the_account_may_do_nothing_else(
    cluster: Cluster, server: Path, home: str, tmp_path: Path
) -> None:
    """On this server no policy bounds the names: it is older than Kubernetes 1.30."""
    async with (
        account(cluster, server, tmp_path, home) as kubeconfig,
        connect(kubeconfig) as agents,
    ):
        document = {"metadata": {"name": "penstock-gpus-x", "namespace": home}, "data": {}}
        await eventually(lambda: agents.apply(CONFIG_MAPS, document))
        for call in (
            agents.get(CONFIG_MAPS, "penstock-gpus-x", home),
            agents.list(CONFIG_MAPS, home),
            agents.delete(CONFIG_MAPS, "penstock-gpus-x", home),
            agents.apply(CONFIG_MAPS, {"metadata": {"name": "x", "namespace": "kube-system"}}),
        ):
            with pytest.raises(Forbidden):
                await call


async def test_without_its_right_it_says_so_and_writes_once_it_has_it(
    cluster: Cluster, server: Path, home: str, library: Path, tmp_path: Path
) -> None:
    machine = Machine(library, tmp_path / "nvml")
    machine.say(machine_with(gpu(0)))
    kubeconfig = await service_account(cluster, server, tmp_path, home, "penstock-agent")
    settings = {"PENSTOCK_NAMESPACE": home, "PENSTOCK_NODE_NAME": NODE}
    async with agent(machine, kubeconfig, tmp_path, settings) as process:

        async def refused() -> bool:
            return bool(process.events("inventory.write_failed"))

        await eventually(refused)
        assert "403" in process.events("inventory.write_failed")[0]["error"]
        with pytest.raises(NotFound):
            await inventory(cluster, home)
        async with granted(cluster, rights(home)):
            await eventually(lambda: inventory(cluster, home))
