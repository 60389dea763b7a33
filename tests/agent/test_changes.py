"""What is worth a write, and what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_agent.changes import worth_writing
from penstock_operator.ollama.gpus import GpuProcess, NodeGpus
from tests.agent.readings import card, reading, slice_of

BEFORE = reading(card(0), card(1, mig_enabled=True, mig=(slice_of(0), slice_of(1))))


def after(seconds: float = 5, **second: object) -> NodeGpus:
    """A little later, the second GPU changed."""
    whole = {"mig_enabled": True, "mig": (slice_of(0), slice_of(1)), **second}
    return reading(card(0), card(1, **whole), seconds=seconds)


def test_the_first_reading_is_written() -> None:
    assert worth_writing(None, reading())


@pytest.mark.parametrize(
    "found",
    [
        BEFORE,
        after(),
        after(29.9),
        after(used_mib=999, utilisation_percent=99, temperature_celsius=90, power_watts=300.0),
        after(processes=(GpuProcess(pid=1),)),
        after(mig=(slice_of(0, used_mib=199), slice_of(1))),
    ],
)
def test_what_moves_all_the_time_waits_for_its_half_minute(found: NodeGpus) -> None:
    assert not worth_writing(BEFORE, found)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(after(30), id="half a minute"),
        pytest.param(after(-30), id="a clock that was set back"),
        pytest.param(after(used_mib=1000), id="memory"),
        pytest.param(after(mig=(slice_of(0, used_mib=200), slice_of(1))), id="a slice's memory"),
        pytest.param(after(mig=(slice_of(0),)), id="a slice gone"),
        pytest.param(after(mig=(slice_of(0), slice_of(2))), id="another slice"),
        pytest.param(after(mig_enabled=False, mig=()), id="MIG"),
        pytest.param(after(uuid="GPU-9"), id="another GPU"),
        pytest.param(after(product="NVIDIA-L40S"), id="another product"),
        pytest.param(reading(card(0), seconds=5), id="a GPU gone"),
        pytest.param(reading(*BEFORE.gpus, card(2), seconds=5), id="a GPU more"),
        pytest.param(reading(*BEFORE.gpus, seconds=5, message="GPU 3 is lost"), id="message"),
        pytest.param(reading(*BEFORE.gpus, seconds=5, driver="590.10"), id="driver"),
    ],
)
def test_what_decides_is_written_at_once(found: NodeGpus) -> None:
    assert worth_writing(BEFORE, found)


def test_a_reading_that_only_ages_is_not_written_again() -> None:
    """NVML hangs: the moment of the last reading stays in it."""
    hung = BEFORE.model_copy(update={"message": "NVML does not answer"})
    assert worth_writing(BEFORE, hung)
    assert not worth_writing(hung, hung.model_copy())


@given(st.integers(0, 20_000), st.integers(0, 20_000))
def test_readers_are_never_wrong_by_five_percent(was: int, used: int) -> None:
    written, found = reading(card(used_mib=was)), reading(card(used_mib=used), seconds=5)
    assert worth_writing(written, found) == (abs(used - was) >= 1000)
