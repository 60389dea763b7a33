"""What pynvml and a library of C structures say of GPUs, as we tell it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock_agent.nvml.gpu import product_label
from penstock_agent.nvml.processes import short_name
from penstock_operator.ollama.gpus import GpuProcess, GpuReading, MigInstance
from tests.agent.nvml_library import GIB, Machine, Reader, gpu, machine_with, reader

MIB = 1024**2


@pytest.fixture(scope="module")
def machine(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(library, tmp_path_factory.mktemp("machine") / "nvml")


@pytest.fixture(scope="module")
def reads(machine: Machine) -> Iterator[Reader]:
    """One process, and one session, for all that these tests say."""
    with reader(machine.environment) as found:
        yield found


def only(reads: Reader) -> GpuReading:
    seen = reads.observe()
    assert seen.found.message == ""
    (found,) = seen.found.gpus
    return found


def test_all_of_a_busy_gpu_is_told(machine: Machine, reads: Reader) -> None:
    busy = gpu(
        0, used=9 * GIB, load=87, temperature=66, milliwatts=71_234, compute=f"4711:{9 * GIB}"
    )
    machine.say(machine_with(busy) | {"process.4711": "/usr/bin/ollama"})
    assert only(reads) == GpuReading(
        index=0,
        uuid="GPU-00000000-aaaa-bbbb-cccc-dddddddddddd",
        product="NVIDIA-L4",
        memory_mib=23_034,
        used_mib=9 * 1024 + 512,
        utilisation_percent=87,
        temperature_celsius=66,
        power_watts=71.2,
        processes=(GpuProcess(pid=4711, name="ollama", used_mib=9 * 1024),),
    )
    assert reads.observe().found.driver == "580.65.06"


def test_gpus_of_several_products_keep_their_order(machine: Machine, reads: Reader) -> None:
    machine.say(machine_with(gpu(0), gpu(1, name="NVIDIA GeForce RTX 4070", total=12 * GIB)))
    found = reads.observe().found.gpus
    assert [(each.index, each.product) for each in found] == [
        (0, "NVIDIA-L4"),
        (1, "NVIDIA-GeForce-RTX-4070"),
    ]


def test_what_the_driver_reserves_is_not_free(machine: Machine, reads: Reader) -> None:
    machine.say(machine_with(gpu(0, reserved=700 * MIB, used=100 * MIB)))
    assert only(reads).used_mib == 800


def test_bytes_are_rounded_down(machine: Machine, reads: Reader) -> None:
    machine.say(machine_with(gpu(0, total=10 * MIB - 1, used=2 * MIB - 1, reserved=0)))
    found = only(reads)
    assert (found.memory_mib, found.used_mib) == (9, 1)


def test_a_driver_before_510_says_the_same(old_library: Path, tmp_path: Path) -> None:
    """It lacks the symbols of newer versions."""
    old = Machine(old_library, tmp_path / "old")
    old.say(machine_with(gpu(0, reserved=700 * MIB, used=100 * MIB, compute=f"7:{GIB}")))
    with reader(old.environment) as reads:
        found = only(reads)
    assert found.used_mib == 800
    assert found.temperature_celsius == 41
    assert found.processes == (GpuProcess(pid=7, used_mib=1024),)


@pytest.mark.parametrize("code", ["!3", "!13", "!6", "!21", "!999", "!4242"])
def test_what_a_gpu_does_not_say_is_unknown_and_no_error(
    code: str, machine: Machine, reads: Reader
) -> None:
    names = ("load", "temperature", "milliwatts", "mig", "compute", "graphics")
    machine.say(machine_with(gpu(0, **dict.fromkeys(names, code))))
    found = only(reads)
    assert found.utilisation_percent is None
    assert found.temperature_celsius is None
    assert found.power_watts is None
    assert not found.mig_enabled
    assert found.processes == ()
    assert found.memory_mib == 23_034


def test_a_gpu_that_shares_the_machines_memory_is_told_without_a_size(
    machine: Machine, reads: Reader
) -> None:
    machine.say(machine_with(gpu(0, name="NVIDIA GB10", total="!3")))
    seen = reads.observe().found
    assert seen.message == "NVIDIA-GB10 does not say its memory"
    assert [each.memory_mib for each in seen.gpus] == [0]


def partitioned(index: int = 0) -> dict[str, str | int]:
    """An A100 with two instances, and a number between them that is free."""
    instance = f"gpu.{index}.mig"
    return gpu(
        index,
        name="NVIDIA A100-SXM4-40GB",
        total=40 * GIB,
        load="!3",
        mig=1,
        instances=7,
    ) | {
        f"{instance}.0.uuid": "MIG-0000",
        f"{instance}.0.name": "NVIDIA A100-SXM4-40GB MIG 1g.5gb",
        f"{instance}.0.total": 4864 * MIB,
        f"{instance}.0.used": 2000 * MIB,
        f"{instance}.2.uuid": "MIG-2222",
        f"{instance}.2.name": "NVIDIA A100-SXM4-40GB MIG 3g.20gb",
        f"{instance}.2.total": 19968 * MIB,
    }


def test_mig_instances_are_told_with_profile_and_memory(machine: Machine, reads: Reader) -> None:
    machine.say(machine_with(partitioned()))
    found = only(reads)
    assert found.mig_enabled
    assert found.utilisation_percent is None
    assert found.mig == (
        MigInstance(uuid="MIG-0000", profile="1g.5gb", memory_mib=4864, used_mib=2000),
        MigInstance(uuid="MIG-2222", profile="3g.20gb", memory_mib=19968),
    )


def test_a_gpu_that_is_to_be_partitioned_is_not_yet(machine: Machine, reads: Reader) -> None:
    """The library always says that MIG is pending."""
    machine.say(machine_with(partitioned() | {"gpu.0.mig": 0}))
    assert only(reads).mig == ()


@pytest.mark.parametrize(("compute", "profile"), [(2, "2g.10gb"), (1, "1c.2g.10gb")])
def test_a_profile_without_a_name_is_made_of_its_slices(
    compute: int, profile: str, machine: Machine, reads: Reader
) -> None:
    made = partitioned() | {
        "gpu.0.mig.0.name": "!3",
        "gpu.0.mig.0.slices": 2,
        "gpu.0.mig.0.compute": compute,
        "gpu.0.mig.0.total": 9856 * MIB,
    }
    machine.say(machine_with(made))
    assert only(reads).mig[0].profile == profile


def test_processes_are_told_once_largest_first_without_arguments(
    machine: Machine, reads: Reader
) -> None:
    holders = gpu(0, compute=f"11:{2 * GIB} 12:{5 * GIB} 13", graphics=f"12:{5 * GIB} 9:{GIB}")
    names = {
        "process.12": "/opt/app/python3 serve.py --api-key=hush",
        "process.9": "/usr/lib/xorg/Xorg",
        "process.11": "/bin/caf\udce9",  # a byte that is no UTF-8
    }
    machine.say(machine_with(holders) | names)
    assert only(reads).processes == (
        GpuProcess(pid=12, name="python3", used_mib=5 * 1024),
        GpuProcess(pid=11, used_mib=2 * 1024),
        GpuProcess(pid=9, name="Xorg", used_mib=1024),
        GpuProcess(pid=13),
    )


def test_of_many_processes_the_largest_are_told(machine: Machine, reads: Reader) -> None:
    machine.say(machine_with(gpu(0, compute=" ".join(f"{n}:{n * MIB}" for n in range(1, 31)))))
    assert [each.pid for each in only(reads).processes] == [*range(30, 14, -1)]


def test_a_lost_gpu_leaves_the_others_readable(machine: Machine, reads: Reader) -> None:
    machine.say(machine_with(gpu(0, handle="!15"), gpu(1), gpu(2, load="!15")))
    seen = reads.observe().found
    assert [each.index for each in seen.gpus] == [1]
    assert seen.message == (
        "GPU 0: GPU is lost: reset the GPU or restart the node; "
        "GPU 2: GPU is lost: reset the GPU or restart the node"
    )


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"uuid": "!999"}, "Unknown Error"),
        ({"handle": "!4"}, "Insufficient Permissions"),
        ({"load": 400}, "what NVML says of it makes no sense"),
    ],
)
def test_a_gpu_that_cannot_be_told_is_left_out_and_named(
    facts: dict[str, str | int], said: str, machine: Machine, reads: Reader
) -> None:
    machine.say(machine_with(gpu(0), gpu(1, **facts)))
    seen = reads.observe().found
    assert [each.index for each in seen.gpus] == [0]
    assert seen.message == f"GPU 1 is left out: {said}"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Tesla T4", "Tesla-T4"),
        ("NVIDIA A100-SXM4-40GB", "NVIDIA-A100-SXM4-40GB"),
        ("NVIDIA  RTX 6000 Ada (Generation) ", "NVIDIA-RTX-6000-Ada-Generation"),
        ("GRID V100D_8Q.1", "GRID-V100D_8Q.1"),
    ],
)
def test_products_are_named_as_feature_discovery_names_them(name: str, label: str) -> None:
    assert product_label(name) == label


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/usr/bin/python3 -m serve --token=hush", "python3"),
        ("ollama", "ollama"),
        ("  /bin/a\x07b  ", "ab"),
        ("", ""),
        ("x" * 100, "x" * 64),
    ],
)
def test_a_process_is_named_by_its_program(path: str, name: str) -> None:
    assert short_name(path) == name
