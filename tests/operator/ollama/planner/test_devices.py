"""What a node's slots are worth, by whoever knows it best."""

from datetime import UTC, datetime

import pytest

from penstock_operator.ollama.gpus import GpuProcess, GpuReading, MigInstance, NodeGpus
from penstock_operator.ollama.planner.devices import Sighting, foreign_mib, slots_of
from penstock_operator.ollama.planner.types import Slot

GPU = "nvidia.com/gpu"


def sighting(*gpus: GpuReading, hosts_ours: bool = False, **labels: str) -> Sighting:
    """`labels`: of `nvidia.com/gpu.`."""
    seen = NodeGpus(node="a", observed_at=datetime(2026, 1, 1, tzinfo=UTC), gpus=gpus)
    said = {f"nvidia.com/gpu.{key.replace('_', '-')}": value for key, value in labels.items()}
    return Sighting(said, seen if gpus else None, hosts_ours)


def reading(index: int, used_mib: int = 0, *processes: GpuProcess) -> GpuReading:
    return GpuReading(
        index=index,
        uuid=f"GPU-{index}",
        product="NVIDIA-L4",
        memory_mib=23034,
        used_mib=used_mib,
        processes=processes,
    )


def process(name: str, used_mib: int) -> GpuProcess:
    return GpuProcess(pid=1, name=name, used_mib=used_mib)


def test_a_product_without_its_memory_is_looked_up() -> None:
    (slot,) = slots_of({GPU: 1}, {}, sighting(product="Tesla-T4"))
    assert slot == Slot(GPU, 0, 15360, "Tesla-T4")


@pytest.mark.parametrize(
    ("labels", "memory_mib"),
    [
        ({"cloud.google.com/gke-accelerator": "nvidia-l4"}, 23034),
        ({"karpenter.k8s.aws/instance-gpu-name": "a10g"}, 23028),
        ({"karpenter.k8s.aws/instance-gpu-memory": "46068"}, 46068),
        ({}, 0),
    ],
)
def test_clouds_have_labels_of_their_own(labels: dict[str, str], memory_mib: int) -> None:
    (slot,) = slots_of({GPU: 1}, {}, Sighting(labels, None, hosts_ours=False))
    assert slot.memory_mib == memory_mib


def test_more_gpus_than_kubernetes_grants_are_the_worst_of_them() -> None:
    """Which one it holds back, as unhealthy, is not told."""
    found = slots_of({GPU: 1}, {}, sighting(reading(0), reading(1, 5000)))
    assert [slot.foreign_mib for slot in found] == [5120]


def test_fewer_gpus_than_kubernetes_grants_are_as_bad_as_the_worst() -> None:
    found = slots_of({GPU: 3}, {}, sighting(reading(0), reading(1, 5000)))
    assert sorted(slot.foreign_mib for slot in found) == [0, 5120, 5120]
    assert len({slot.gpu for slot in found}) == 3


def test_memory_that_nobody_explains_is_others_where_none_of_ours_runs() -> None:
    gpu = reading(0, 9000, process("Xorg", 300), process("", 500))
    assert foreign_mib(gpu, hosts_ours=False) == 9216
    assert foreign_mib(gpu, hosts_ours=True) == 512


def test_ollama_is_never_a_stranger() -> None:
    gpu = reading(0, 15_000, process("/usr/bin/ollama", 9000), process("python3", 4000))
    assert foreign_mib(gpu, hosts_ours=False) == 4096


def test_time_sliced_gpus_that_the_agent_sees_have_their_own_foreign_memory() -> None:
    seen = sighting(reading(0), reading(1, 1000), replicas="2")
    found = slots_of({"nvidia.com/gpu.shared": 4}, {}, seen)
    assert [(slot.gpu, slot.foreign_mib) for slot in found] == [
        (0, 0),
        (0, 0),
        (1, 1024),
        (1, 1024),
    ]


def test_slices_of_the_plain_name_are_of_the_size_that_the_agent_sees() -> None:
    slices = tuple(
        MigInstance(uuid=f"MIG-{i}", profile="1g.5gb", memory_mib=4864) for i in range(7)
    )
    gpu = GpuReading(
        index=0, uuid="GPU-0", product="NVIDIA-A100", memory_mib=40960, mig_enabled=True, mig=slices
    )
    found = slots_of({GPU: 7}, {}, sighting(gpu, product="NVIDIA-A100-MIG-1g.5gb"))
    assert found == (Slot(GPU, 0, 4864, "NVIDIA-A100", "MIG"),) * 7


def test_under_mixed_the_plain_name_has_the_gpus_that_are_not_sliced() -> None:
    sliced = reading(0).model_copy(update={"mig_enabled": True})
    found = slots_of({GPU: 1}, {}, sighting(sliced, reading(1), mig_strategy="mixed"))
    assert [slot.gpu for slot in found] == [1]


MIG = "nvidia.com/mig-1g.5gb"


@pytest.mark.parametrize(
    ("resource", "labels"),
    [
        (f"{MIG}.shared", {f"{MIG}.replicas": "4", f"{MIG}.product": "A100-MIG-1g.5gb"}),
        (MIG, {f"{MIG}.replicas": "4", f"{MIG}.product": "A100-MIG-1g.5gb-SHARED"}),
        (GPU, {f"{GPU}.replicas": "4", f"{GPU}.product": "A100-MIG-1g.5gb-SHARED"}),
        (f"{GPU}.shared", {f"{GPU}.replicas": "4", f"{GPU}.product": "A100-MIG-1g.5gb"}),
    ],
)
def test_slices_that_are_shared_in_time_have_their_memory_once(
    resource: str, labels: dict[str, str]
) -> None:
    found = slots_of({resource: 8}, {}, Sighting(labels, None, hosts_ours=False))
    assert found == tuple(
        Slot(resource, index, 4860, "A100", "TimeSliced") for index in (0, 0, 0, 0, 1, 1, 1, 1)
    )


@pytest.mark.parametrize("labels", [{}, {f"{MIG}.product": "A100-MIG-1g.5gb-SHARED"}])
def test_where_nobody_says_how_many_slices_are_shared_it_may_be_one(labels: dict[str, str]) -> None:
    found = slots_of({f"{MIG}.shared": 8}, {}, Sighting(labels, None, hosts_ours=False))
    assert {slot.gpu for slot in found} == {0}


def test_where_nobody_says_how_many_gpus_are_shared_it_may_be_one() -> None:
    found = slots_of({f"{GPU}.shared": 8}, {}, sighting(product="Tesla-T4"))
    assert {slot.gpu for slot in found} == {0}


def test_shared_slices_that_the_agent_sees_have_what_others_may_hold_there() -> None:
    slices = tuple(
        MigInstance(uuid=f"MIG-{i}", profile="1g.5gb", memory_mib=4864, used_mib=used)
        for i, used in enumerate((0, 4000))
    )
    gpu = reading(0, 4000, process("ollama", 3000), process("python3", 1000))
    gpu = gpu.model_copy(update={"mig_enabled": True, "mig": slices})
    seen = sighting(gpu, hosts_ours=True)
    found = slots_of({f"{MIG}.shared": 4}, {}, seen)
    assert [(slot.gpu, slot.foreign_mib) for slot in found] == [
        (0, 1024),
        (0, 1024),
        (1, 0),
        (1, 0),
    ]
    assert {(slot.memory_mib, slot.sharing) for slot in found} == {(4864, "TimeSliced")}


def test_of_fewer_slots_than_gpus_make_all_may_be_of_the_worst() -> None:
    found = slots_of({GPU: 3}, {}, sighting(reading(0), reading(1, 1000), replicas="4"))
    assert [slot.gpu for slot in found] == [1, 1, 1]


def test_a_share_by_mps_is_what_the_plugin_gives_also_of_fewer_than_it_makes() -> None:
    seen = sighting(reading(0), sharing_strategy="mps", replicas="4")
    found = slots_of({GPU: 3}, {}, seen)
    assert [slot.memory_mib for slot in found] == [23034 // 4] * 3
