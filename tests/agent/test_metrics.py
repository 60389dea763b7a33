"""What Prometheus reads."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from penstock_agent.metrics import Metrics, Reading
from penstock_operator.ollama.gpus import GpuProcess, NodeGpus
from tests.agent.readings import card, reading, slice_of

MIB = 1024**2
NONE: frozenset[str] = frozenset()
BUSY = reading(
    card(
        used_mib=5_000,
        utilisation_percent=87,
        temperature_celsius=66,
        power_watts=71.2,
        processes=(GpuProcess(pid=4711, name="secret-name"),),
    ),
    card(1, mig_enabled=True, mig=(slice_of(used_mib=1_000),)),
)


def samples(read: Reading) -> dict[tuple[str, frozenset[str]], float]:
    """Value by name and the labels' values."""
    text = Metrics(lambda: read).exposition().decode()
    return {
        (each.name, frozenset(each.labels.values())): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
        if not each.name.endswith("_created")
    }


def test_every_gpu_has_its_figures() -> None:
    found = samples(Reading(BUSY, answers=True, age_seconds=2.5))
    first = frozenset(("gpu-1", "0", "GPU-0", "NVIDIA-L4"))
    assert found["penstock_gpu_memory_total_bytes", first] == 20_000 * MIB
    assert found["penstock_gpu_memory_used_bytes", first] == 5_000 * MIB
    assert found["penstock_gpu_memory_free_bytes", first] == 15_000 * MIB
    assert found["penstock_gpu_utilisation_ratio", first] == pytest.approx(0.87)
    assert found["penstock_gpu_temperature_celsius", first] == 66
    assert found["penstock_gpu_power_watts", first] == pytest.approx(71.2)
    assert found["penstock_gpu_processes", first] == 1
    assert found["penstock_agent_up", NONE] == 1
    assert found["penstock_agent_gpus", NONE] == 2
    assert found["penstock_agent_reading_age_seconds", NONE] == 2.5
    assert found["penstock_agent_driver_info", frozenset(("gpu-1", "580.65.06"))] == 1


def test_what_a_gpu_does_not_say_has_no_series() -> None:
    found = samples(Reading(BUSY, answers=True, age_seconds=0))
    second = frozenset(("gpu-1", "1", "GPU-1", "NVIDIA-L4"))
    assert found["penstock_gpu_mig_enabled", second] == 1
    for name in ("utilisation_ratio", "temperature_celsius", "power_watts"):
        assert (f"penstock_gpu_{name}", second) not in found


def test_instances_have_their_memory() -> None:
    found = samples(Reading(BUSY, answers=True, age_seconds=0))
    labels = frozenset(("gpu-1", "1", "GPU-1", "NVIDIA-L4", "MIG-0", "1g.5gb"))
    assert found["penstock_gpu_mig_memory_total_bytes", labels] == 4_000 * MIB
    assert found["penstock_gpu_mig_memory_used_bytes", labels] == 1_000 * MIB


@pytest.mark.parametrize("known", [None, BUSY], ids=["never read", "read before"])
def test_while_nvml_does_not_answer_no_gpu_has_a_figure(known: NodeGpus | None) -> None:
    found = samples(Reading(known, answers=False, age_seconds=61))
    assert found == {
        ("penstock_agent_up", NONE): 0,
        ("penstock_agent_reading_age_seconds", NONE): 61,
        ("penstock_agent_gpus", NONE): 0,
        ("penstock_agent_writes_total", frozenset({"ok"})): 0,
        ("penstock_agent_writes_total", frozenset({"failed"})): 0,
    }


def test_no_process_is_named() -> None:
    exposed = Metrics(lambda: Reading(BUSY, answers=True, age_seconds=0)).exposition()
    assert b"secret-name" not in exposed
    assert b"4711" not in exposed
