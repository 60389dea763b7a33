"""Kubernetes nodes, labels and agents' readings as the planner sees them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from penstock_operator.ollama.gpus import GpuProcess, GpuReading, MigInstance, NodeGpus
from penstock_operator.ollama.nodes import gpu_nodes, held_by, hosts_of, nodes_of
from penstock_operator.ollama.planner.types import Node, Slot, Taint

NOW = datetime(2026, 11, 22, tzinfo=UTC)
L4 = {
    "nvidia.com/gpu.product": "NVIDIA-L4",
    "nvidia.com/gpu.memory": "23034",
    "nvidia.com/gpu.count": "2",
}


def node(
    name: str = "a", labels: dict[str, str] | None = None, *, ready: str = "True", **has: str
) -> dict[str, Any]:
    """`has`: allocatable resources of NVIDIA, with `_` for `-`."""
    amounts = {f"nvidia.com/{k.replace('__', '.').replace('_', '-')}": v for k, v in has.items()}
    return {
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {},
        "status": {
            "allocatable": {"cpu": "8", **amounts},
            "conditions": [{"type": "Ready", "status": ready}],
        },
    }


def reading(*gpus: GpuReading, node: str = "a") -> dict[str, NodeGpus]:
    return {node: NodeGpus(node=node, observed_at=NOW, gpus=gpus)}


def gpu(index: int = 0, used: int = 0, **fields: Any) -> GpuReading:
    said = {"uuid": f"GPU-{index}", "product": "NVIDIA-A10", "memory_mib": 24000} | fields
    return GpuReading(index=index, used_mib=used, **said)


def only(*found: Node) -> Node:
    (node,) = found
    return node


def test_labels_say_what_whole_gpus_are() -> None:
    found = only(*nodes_of([node(labels=L4, gpu="2")], {}, {}))
    assert found.slots == tuple(Slot("nvidia.com/gpu", i, 23034, "NVIDIA-L4") for i in (0, 1))


def test_nodes_without_gpus_are_none_of_the_planners() -> None:
    assert nodes_of([node(), node("b", L4, gpu="0")], {}, {}) == ()
    assert gpu_nodes([node(), node("b", gpu="1")]) == ["b"]


def test_zone_taints_and_state_are_the_nodes() -> None:
    document = node("a", {**L4, "topology.kubernetes.io/zone": "z1"}, gpu="1")
    document["spec"] = {"taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]}
    found = only(*nodes_of([document], {}, {}))
    assert (found.zone, found.usable) == ("z1", True)
    assert found.taints == (Taint("nvidia.com/gpu"),)


@pytest.mark.parametrize("ready", ["False", "Unknown"])
def test_a_node_that_is_not_ready_or_cordoned_is_not_usable(ready: str) -> None:
    assert not only(*nodes_of([node(labels=L4, gpu="1", ready=ready)], {}, {})).usable
    cordoned = node(labels=L4, gpu="1")
    cordoned["spec"]["unschedulable"] = True
    assert not only(*nodes_of([cordoned], {}, {})).usable


def test_the_agent_knows_mixed_products_and_what_is_used_beside_us() -> None:
    said = reading(
        gpu(0, 900, processes=(GpuProcess(pid=1, name="Xorg", used_mib=700),)),
        gpu(1, 20_000, product="NVIDIA-L4", processes=(GpuProcess(pid=2, name="/bin/ollama"),)),
        gpu(2, 500),
    )
    found = only(*nodes_of([node(labels=L4, gpu="3")], said, {}))
    assert found.slots == (
        Slot("nvidia.com/gpu", 0, 24000, "NVIDIA-A10", foreign_mib=1024),
        Slot("nvidia.com/gpu", 1, 24000, "NVIDIA-L4"),
        Slot("nvidia.com/gpu", 2, 24000, "NVIDIA-A10", foreign_mib=512),
    )
    with_ours = only(*nodes_of([node(labels=L4, gpu="3")], said, {}, ours=["a"]))
    assert [slot.foreign_mib for slot in with_ours.slots] == [768, 0, 0]


def test_what_others_hold_is_left_out_the_fullest_first() -> None:
    said = reading(gpu(0, 20_000), gpu(1, 10), gpu(2, 300))
    held = {"a": {"nvidia.com/gpu": 2}}
    found = only(*nodes_of([node(gpu="3")], said, held))
    assert [slot.gpu for slot in found.slots] == [1]
    assert only(*nodes_of([node(gpu="3")], said, {"a": {"nvidia.com/gpu": 3}})).slots == ()


@pytest.mark.parametrize(
    ("resource", "product"), [("gpu", "NVIDIA-L4-SHARED"), ("gpu__shared", "NVIDIA-L4")]
)
def test_time_sliced_gpus_say_all_of_their_memory_in_each_slot(resource: str, product: str) -> None:
    labels = {**L4, "nvidia.com/gpu.product": product, "nvidia.com/gpu.replicas": "2"}
    found = only(*nodes_of([node("a", labels, **{resource: "4"})], {}, {}))
    name = f"nvidia.com/{resource.replace('__', '.')}"
    assert found.slots == tuple(
        Slot(name, i, 23034, "NVIDIA-L4", "TimeSliced") for i in (0, 0, 1, 1)
    )


def test_parts_of_mps_are_gpus_of_their_own() -> None:
    labels = {
        **L4,
        "nvidia.com/gpu.count": "1",
        "nvidia.com/gpu.replicas": "4",
        "nvidia.com/gpu.sharing-strategy": "mps",
    }
    found = only(*nodes_of([node("a", labels, gpu="4")], {}, {}))
    assert found.slots == tuple(
        Slot("nvidia.com/gpu", i, 5758, "NVIDIA-L4", "TimeSliced") for i in range(4)
    )


def test_mig_under_names_of_its_own_is_as_large_as_the_agent_or_the_label_or_the_name_says() -> (
    None
):
    product = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB"}
    bare = node("a", product, mig_3g__20gb="1")
    assert only(*nodes_of([bare], {}, {})).slots == (
        Slot("nvidia.com/mig-3g.20gb", 0, 19440, "NVIDIA-A100-SXM4-40GB", "MIG"),
    )
    labelled = node("a", {**product, "nvidia.com/mig-3g.20gb.memory": "19968"}, mig_3g__20gb="1")
    assert only(*nodes_of([labelled], {}, {})).slots[0].memory_mib == 19968
    instance = MigInstance(uuid="MIG-1", profile="3g.20gb", memory_mib=19900)
    said = reading(gpu(1, mig_enabled=True, mig=(instance,)))
    assert only(*nodes_of([bare], said, {})).slots[0] == Slot(
        "nvidia.com/mig-3g.20gb", 1, 19900, "NVIDIA-A10", "MIG"
    )


def test_mig_under_the_plain_name_is_mig() -> None:
    labels = {
        "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb",
        "nvidia.com/gpu.memory": "4864",
    }
    found = only(*nodes_of([node("a", labels, gpu="7")], {}, {}))
    assert found.slots[0] == Slot("nvidia.com/gpu", 0, 4864, "NVIDIA-A100-SXM4-40GB", "MIG")
    assert len(found.slots) == 7


def pod(node: str = "a", *, phase: str = "Running", **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "p", "labels": labels},
        "spec": {
            "nodeName": node,
            "containers": [
                {"resources": {"limits": {"nvidia.com/gpu": "1", "cpu": "2"}}},
                {"resources": {"requests": {"nvidia.com/gpu": "1"}}},
                {},
            ],
            "initContainers": [{"resources": {"limits": {"nvidia.com/mig-1g.5gb": 1}}}],
        },
        "status": {"phase": phase},
    }


def test_other_peoples_pods_hold_what_their_containers_ask_for() -> None:
    ours = pod()
    ours["metadata"]["labels"] = {"penstock.dev/provider": "own"}
    pods = [pod(), pod(), pod("b", phase="Succeeded"), pod(""), ours]
    assert held_by(pods) == {"a": {"nvidia.com/gpu": 4, "nvidia.com/mig-1g.5gb": 2}}


def test_pods_hold_gpus_until_they_have_ended_and_on_cpu_none() -> None:
    ending, on_cpu = pod("b"), pod("c")
    ending["metadata"]["deletionTimestamp"] = "2026-11-22T00:00:00Z"
    on_cpu["spec"] |= {"containers": [{"resources": {"limits": {"cpu": "2"}}}]}
    del on_cpu["spec"]["initContainers"]
    pods = [pod(), ending, on_cpu, pod("d", phase="Failed"), pod("")]
    assert hosts_of(pods) == {"a", "b"}


@pytest.mark.parametrize("text", ["", "many", "-1", "1.5"])
def test_amounts_that_are_no_numbers_are_nothing(text: str) -> None:
    assert nodes_of([node("a", L4, gpu=text)], {}, {}) == ()
    labels = {"nvidia.com/gpu.product": "NVIDIA-New", "nvidia.com/gpu.memory": text}
    unknown = only(*nodes_of([node("a", labels, gpu="1")], {}, {}))
    assert unknown.slots == (Slot("nvidia.com/gpu", 0, 0, "NVIDIA-New"),)


def test_order_is_no_input() -> None:
    both = [node("b", L4, gpu="1"), node("a", L4, gpu="1")]
    assert nodes_of(both, {}, {}) == nodes_of(both[::-1], {}, {})
