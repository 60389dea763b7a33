"""Drivers that are missing, go away, come back, or are not what the library expects."""

import os

import pytest

from tests.agent.nvml_library import Machine, Reader, gpu, machine_with, reader


def test_without_the_library_it_says_what_to_install(machine: Machine) -> None:
    nowhere = machine.environment | {"LD_LIBRARY_PATH": "/nonexistent"}
    with reader(nowhere) as reads:
        seen = reads.observe()
    assert seen.found.gpus == ()
    assert seen.found.driver is None
    assert "has no libnvidia-ml.so.1: install NVIDIA's driver" in seen.found.message
    assert "agent.runtimeClassName" in seen.found.message
    assert not seen.must_restart


def test_a_library_that_comes_later_is_found(machine: Machine) -> None:
    later = machine.state.parent / "later"
    later.mkdir()
    with reader(machine.environment | {"LD_LIBRARY_PATH": str(later)}) as reads:
        assert reads.observe().found.driver is None
        machine.say(machine_with(gpu(0)))
        os.link(machine.library / "libnvidia-ml.so.1", later / "libnvidia-ml.so.1")
        seen = reads.observe(5)
    assert len(seen.found.gpus) == 1
    assert seen.found.message == ""


def test_without_a_driver_it_says_so_and_finds_it_when_it_is_loaded(
    machine: Machine, reads: Reader
) -> None:
    seen = reads.observe().found
    assert (seen.gpus, seen.driver) == ((), None)
    assert seen.message == (
        "NVML: Driver Not Loaded: the node's kernel has no NVIDIA driver: install or load it; "
        "it is looked for again"
    )
    machine.say(machine_with(gpu(0)))
    assert len(reads.observe(5).found.gpus) == 1


def test_a_driver_that_was_loaded_anew_is_read_in_the_same_round(
    machine: Machine, reads: Reader
) -> None:
    machine.say(machine_with(gpu(0), generation=1))
    assert reads.observe().found.driver == "580.65.06"
    machine.say(machine_with(gpu(0), gpu(1), generation=2, driver="590.10"))
    seen = reads.observe(5).found
    assert (seen.driver, seen.message) == ("590.10", "")
    assert len(seen.gpus) == 2
    assert machine.calls == ["init", "shutdown", "init"]


def test_a_driver_that_goes_away_is_said_and_found_again(machine: Machine, reads: Reader) -> None:
    machine.say(machine_with(gpu(0), generation=1))
    assert len(reads.observe().found.gpus) == 1
    machine.say({"driver": "!9", "generation": 2})
    gone = reads.observe(5).found
    assert gone.gpus == ()
    assert "Driver Not Loaded" in gone.message
    machine.say(machine_with(gpu(0), generation=3))
    back = reads.observe(10).found
    assert len(back.gpus) == 1
    assert back.message == ""


def test_one_session_serves_as_long_as_it_works(machine: Machine, reads: Reader) -> None:
    machine.say(machine_with(gpu(0)))
    for second in range(0, 300, 5):
        reads.observe(second)
    assert machine.calls == ["init"]


@pytest.mark.parametrize("fault", [{"gpu.0.handle": "!15"}, {"count": 0}])
def test_a_session_that_lacks_a_gpu_is_opened_anew_every_half_minute(
    fault: dict[str, str | int], machine: Machine, reads: Reader
) -> None:
    machine.say(machine_with(gpu(0)) | fault)
    for second in range(0, 61, 5):
        assert reads.observe(second).found.message
    assert machine.calls == ["init", *["shutdown", "init"] * 2]
    machine.say(machine_with(gpu(0)))
    assert reads.observe(65).found.message == ""


def test_no_gpu_at_all_is_said(machine: Machine, reads: Reader) -> None:
    machine.say(machine_with())
    seen = reads.observe().found
    assert seen.message.startswith("NVML works and sees no GPU: ")
    assert seen.driver == "580.65.06"


def test_a_library_of_another_version_needs_another_container(
    machine: Machine, reads: Reader
) -> None:
    machine.say({"driver": "!18"})
    seen = reads.observe()
    assert seen.must_restart
    assert "the driver was changed under this container" in seen.found.message
    machine.say(machine_with(gpu(0)))
    assert not reads.observe(5).must_restart


def test_closed_devices_are_said(machine: Machine, reads: Reader) -> None:
    machine.say({"driver": "!4"})
    assert "/dev/nvidia* are closed" in reads.observe().found.message
