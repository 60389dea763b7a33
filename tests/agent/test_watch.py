"""Rounds: what is known after each, and when only a restart helps."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from penstock_agent.observer import Observation
from penstock_agent.watch import Times, Watch, watch_for_good
from tests.agent.readings import START, card

GOOD = Observation("580.65.06", (card(),))
UNFIT = Observation(message="another version", must_restart=True)
pytestmark = pytest.mark.looptime


class Nvml:
    """Answers what it is told, or not at all; virtual time is the loop's."""

    def __init__(self) -> None:
        self.answer: Observation | None = GOOD
        self.asked: list[asyncio.Future[Observation]] = []

    def submit(self) -> asyncio.Future[Observation]:
        future = asyncio.get_running_loop().create_future()
        if self.answer is not None:
            future.set_result(self.answer)
        self.asked.append(future)
        return future


def started(nvml: Nvml) -> Watch:
    clock: Callable[[], float] = asyncio.get_running_loop().time
    times = Times(clock, lambda: START + timedelta(seconds=clock()), hang_seconds=60)
    return Watch("gpu-1", nvml.submit, times)


async def test_a_reading_is_known_with_its_moment() -> None:
    watch = started(Nvml())
    assert watch.known is None
    await asyncio.sleep(7)
    await watch.round()
    assert watch.known is not None
    assert watch.known.observed_at == START + timedelta(seconds=7)
    assert (watch.known.node, watch.known.driver, watch.known.gpus) == (
        "gpu-1",
        "580.65.06",
        GOOD.gpus,
    )
    assert watch.answers
    await asyncio.sleep(3)
    assert watch.age_seconds() == pytest.approx(3)


async def test_without_a_driver_it_lives_and_says_so() -> None:
    nvml = Nvml()
    nvml.answer = Observation(message="install it")
    watch = started(nvml)
    await watch.round()
    assert watch.known is not None
    assert (watch.known.gpus, watch.known.message) == ((), "install it")
    assert not watch.answers
    await asyncio.sleep(3600)
    assert watch.dead() is None


async def test_a_round_never_waits_longer_than_its_bound() -> None:
    nvml = Nvml()
    nvml.answer = None
    watch = started(nvml)
    before = asyncio.get_running_loop().time()
    await watch.round()
    assert asyncio.get_running_loop().time() - before == pytest.approx(10)


async def test_while_nvml_hangs_the_last_reading_stays_and_ages() -> None:
    nvml = Nvml()
    watch = started(nvml)
    await watch.round()
    nvml.answer = None
    for _ in range(3):
        await asyncio.sleep(5)
        await watch.round()
    assert watch.known is not None
    assert watch.known.gpus == GOOD.gpus
    assert watch.known.observed_at == START
    assert watch.known.message.startswith("NVML does not answer: a GPU hangs")
    assert not watch.answers


async def test_a_hang_is_not_asked_again_and_makes_it_dead_in_time() -> None:
    nvml = Nvml()
    nvml.answer = None
    watch = started(nvml)
    for _ in range(6):
        await watch.round()
    assert watch.dead() is None
    await asyncio.sleep(1)
    assert watch.dead() == "NVML has not answered for 61 s"
    assert len(nvml.asked) == 1
    assert watch.known is not None
    assert watch.known.gpus == ()


async def test_an_answer_that_comes_late_is_taken() -> None:
    nvml = Nvml()
    nvml.answer = None
    watch = started(nvml)
    await watch.round()
    nvml.asked[0].set_result(GOOD)
    await watch.round()
    assert len(nvml.asked) == 1
    assert watch.answers
    assert watch.dead() is None
    assert watch.known is not None
    assert (watch.known.message, watch.known.gpus) == ("", GOOD.gpus)


async def test_a_library_that_does_not_fit_has_a_minute() -> None:
    nvml = Nvml()
    nvml.answer = UNFIT
    watch = started(nvml)
    await watch.round()
    await asyncio.sleep(60)
    await watch.round()
    assert watch.dead() is None
    await asyncio.sleep(0.1)
    assert watch.dead() == "the library is of another version than the driver"
    nvml.answer = GOOD
    await watch.round()
    assert watch.dead() is None


async def test_what_a_round_left_is_told_each_period() -> None:
    told: list[float] = []
    loop = asyncio.get_running_loop()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(16):
            await watch_for_good(started(Nvml()), 5, lambda _: told.append(loop.time()))
    assert told == pytest.approx([0, 5, 10, 15])


async def test_a_change_is_logged_and_what_stays_is_not(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    nvml = Nvml()
    watch = started(nvml)
    for answer in (GOOD, GOOD, UNFIT, UNFIT, GOOD):
        nvml.answer = answer
        await watch.round()
    events = [record.getMessage() for record in caplog.records]
    assert events == ["gpus.read", "gpus.incomplete", "gpus.read"]
    assert vars(caplog.records[1])["said"] == "another version"
