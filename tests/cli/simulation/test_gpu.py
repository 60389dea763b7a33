"""One GPU: progress, turns, memory, loading, and what a wait is made of."""

import pytest

from penstock_cli.simulation.gpu import NEVER, Gpu, Work
from penstock_cli.simulation.speed import Device, Load, prefill_seconds, step_seconds
from penstock_cli.simulation.trace import Ask, Call

DEVICE = Device("n/0", "n", "some", 8192, 200e9, 50e12, 2e9, 1.0)
SMALL = Load("small", 1e9, 600, 16, 1200, 4, 1024)
LARGE = Load("large", 8e9, 4800, 64, 6000, 2, 1024)


def gpu(*residents: Load) -> Gpu:
    made = Gpu(DEVICE, 1024)
    for load in residents:
        made.preload(load)
    return made


def asked(model: str, prompt: int = 0, output: int = 100, at: float = 0.0) -> Work:
    call = Call(model, prompt, output)
    return Work(Ask(0, "some", at, 30, (call,)), call, at)


def started(on: Gpu, model: str, prompt: int = 0, output: int = 100, at: float = 0.0) -> Work:
    work = asked(model, prompt, output, at)
    on.advance(at)
    on.add(work)
    on.start(work, at)
    on.settle(at)
    return work


def run_out(on: Gpu) -> list[tuple[float, Work]]:
    found = []
    while (at := on.next_event()) < NEVER:
        found += [(at, work) for work in on.settle(at)]
    return found


def test_one_request_takes_its_prompt_and_its_tokens() -> None:
    one = gpu(SMALL)
    work = started(one, "small", prompt=500, output=100)
    [(at, done)] = run_out(one)
    expected = prefill_seconds(DEVICE, SMALL, 500) + 100 * step_seconds(DEVICE, SMALL, 1)
    assert done is work
    assert work.answered
    assert at == pytest.approx(expected)
    assert work.gpu_seconds == pytest.approx(expected)
    assert one.computing_seconds == pytest.approx(expected)


def test_a_batch_shares_steps_and_the_gpus_time() -> None:
    one = gpu(SMALL)
    works = [started(one, "small") for _ in range(4)]
    ends = run_out(one)
    assert [at for at, _ in ends] == pytest.approx([100 * step_seconds(DEVICE, SMALL, 4)] * 4)
    assert sum(work.gpu_seconds for work in works) == pytest.approx(one.computing_seconds)


def test_two_models_take_turns() -> None:
    one = gpu(SMALL, LARGE)
    short, long = started(one, "small", output=10), started(one, "large", output=1000)
    (first, done), (last, _) = run_out(one)
    assert done is short
    assert first == pytest.approx(2 * 10 * step_seconds(DEVICE, SMALL, 1))
    both = short.gpu_seconds + long.gpu_seconds
    assert last == pytest.approx(both) == pytest.approx(one.computing_seconds)


def test_loading_goes_on_beside_computing_and_is_no_computing() -> None:
    one = gpu(SMALL)
    started(one, "small", output=10_000)
    one.begin_load(LARGE, 0.0)
    assert one.used_mib == 1200 + 6000
    one.settle(one.next_event())
    assert set(one.residents) == {"small", "large"}
    assert one.stalled_seconds == 0
    assert one.loads == 1


def test_a_load_with_nobody_to_compute_for_is_a_stall() -> None:
    one = gpu()
    one.begin_load(LARGE, 5.0)
    at = one.next_event()
    one.settle(at)
    assert at == pytest.approx(5 + 1 + 4800 * 2**20 / 2e9)
    assert one.stalled_seconds == pytest.approx(at - 5)
    assert one.computing_seconds == 0


def test_a_cancelled_request_leaves_what_it_took_behind() -> None:
    one = gpu(SMALL)
    gone, stays = started(one, "small", output=1000), started(one, "small", output=100)
    one.cancel(gone, 0.1)
    assert gone.gpu_seconds == pytest.approx(0.05)
    assert not gone.answered
    [(_, done)] = run_out(one)
    assert done is stays
    assert one.running == one.busy == 0


def test_requests_that_join_later_do_not_slow_the_past() -> None:
    one = gpu(SMALL)
    first = started(one, "small", output=100)
    half = 50 * step_seconds(DEVICE, SMALL, 1)
    started(one, "small", output=100, at=half)
    ends = {work: at for at, work in run_out(one)}
    assert ends[first] == pytest.approx(half + 50 * step_seconds(DEVICE, SMALL, 2))


def test_a_wait_is_told_apart_by_what_the_gpu_did() -> None:
    """A second of others' computing, then nothing but a load, then its load beside computing."""
    one = gpu(SMALL)
    other = started(one, "small", output=10_000)
    work = asked("large")
    one.add(work)
    one.cancel(other, 1.0)
    one.begin_load(LARGE, 1.0)
    started(one, "small", output=10_000, at=2.0)
    one.settle(one.next_event())
    assert "large" in one.residents
    loaded = 1 + 1 + 4800 * 2**20 / 2e9
    one.start(work, loaded)
    assert work.memory_seconds == pytest.approx(1.0)
    assert work.loading_seconds == pytest.approx(loaded - 1.0)


def test_what_waits_for_its_own_model_in_memory_waits_for_neither() -> None:
    one = gpu(SMALL)
    other = started(one, "small", output=10_000)
    work = asked("small")
    one.add(work)
    one.cancel(other, 3.0)
    one.start(work, 3.0)
    assert (work.memory_seconds, work.loading_seconds) == (0, 0)


def test_who_came_first_is_the_oldest_of_all_models() -> None:
    one = gpu(SMALL, LARGE)
    late, early = asked("small", at=2.0), asked("large", at=1.0)
    one.add(late)
    one.add(early)
    assert one.oldest() is early
    assert one.first("small") is late
    one.remove(early)
    assert one.oldest() is late
    assert one.busy == 1


def test_a_model_is_loaded_wholly_within_four_fifths_of_what_is_free() -> None:
    """As Ollama does it: `planner.memory`."""
    wide = Load("wide", 8e9, 4800, 64, 6554, 2, 1024)
    assert gpu().fits(LARGE)
    assert not gpu().fits(wide), "8192 MiB times 0.8 is 6553.6"
    assert gpu(SMALL).has_room(SMALL)
    assert not gpu(SMALL).has_room(LARGE)
