"""Our plan: who starts, who waits for memory, who leaves; what the planner says of the examples."""

from collections.abc import Sequence

import pytest

from penstock_cli.simulation.engine import Engine, Run
from penstock_cli.simulation.gpu import Gpu
from penstock_cli.simulation.measures import figures_of
from penstock_cli.simulation.placing import Placed, expected_calls, placement_of
from penstock_cli.simulation.planned import Planned
from penstock_cli.simulation.speed import step_seconds
from penstock_cli.simulation.trace import Ask, Call
from tests.cli.simulation.scenarios import scenario
from tests.cli.simulation.test_gpu import DEVICE, SMALL
from tests.cli.simulation.test_naive import LOADS, asks

BOTH = ("large", "small")


def run(
    *trace: Ask,
    loaded: Sequence[str] = ("small",),
    models: Sequence[str] = BOTH,
    gpus: int = 1,
    pass_on_after: float | None = None,
) -> Run:
    devices = [Gpu(DEVICE, 1024) for _ in range(gpus)]
    placed = {DEVICE.name: Placed(tuple(models), tuple(loaded))}
    return Engine(devices, LOADS, Planned(placed, LOADS), 100, pass_on_after).run(trace)


def test_as_many_are_answered_at_once_as_there_are_slots() -> None:
    found = run(*asks(*((0, ["small"], 100) for _ in range(5))), models=("small",))
    ends = sorted(course.ended or 0 for course in found.courses)
    four, one = (100 * step_seconds(DEVICE, SMALL, batch) for batch in (4, 1))
    assert ends[:4] == pytest.approx([four] * 4)
    assert ends[4] == pytest.approx(four + one)


def test_equal_gpus_share_the_work() -> None:
    found = run(*asks(*((0, ["small"], 100) for _ in range(2))), models=("small",), gpus=2)
    ends = [course.ended for course in found.courses]
    assert ends == [pytest.approx(100 * step_seconds(DEVICE, SMALL, 1))] * 2


def test_a_model_that_is_asked_for_takes_the_place_of_one_that_is_not() -> None:
    found = run(*asks((0, ["large"], 10)))
    assert figures_of(found).loads == 1
    assert figures_of(found).delivered == 1


def test_one_load_answers_all_who_gathered_meanwhile() -> None:
    mixed = [(0.1 * n, [("small", "large")[n % 2]], 100) for n in range(20)]
    found = run(*asks(*mixed, timeout=60))
    assert figures_of(found).delivered == 20
    assert figures_of(found).loads <= 2


def test_a_model_does_not_wait_for_ever_where_another_is_always_asked_for() -> None:
    busy = [(0.5 * n, ["small"], 60) for n in range(150)]
    found = run(*asks((0.1, ["large"], 10), *busy, timeout=60))
    assert found.courses[0].delivered


def test_who_is_too_late_for_a_load_is_not_loaded_for() -> None:
    found = run(*asks((0, ["large"], 10), timeout=2))
    assert figures_of(found).loads == 0


def test_who_nobody_has_begun_with_is_passed_on_in_time() -> None:
    long = [(0.0, ["small"], 6000)] * 4
    figures = figures_of(run(*asks(*long, (0.1, ["large"], 10)), pass_on_after=0.5))
    assert figures.passed_on == 1
    assert figures.passed_output_tokens == {"large": 10}
    assert "large" not in figures.output_tokens


def test_of_an_ensemble_no_more_are_passed_on_than_the_quorum_lacks() -> None:
    block = Ask(0, "some", 0.0, 90, tuple(Call("small", 0, 9000) for _ in range(4)))
    members = (*(Call("small", 0, 10) for _ in range(2)), *(Call("large", 0, 10) for _ in range(3)))
    found = run(block, Ask(1, "panel", 0.1, 30, members), pass_on_after=0.5)
    assert len(found.courses[1].passed_on) == 3
    assert found.courses[1].delivered


def test_an_answer_that_is_passed_on_is_no_work_of_the_gpus() -> None:
    found = run(*asks((0, ["absent"], 10)), pass_on_after=0.5)
    figures = figures_of(found)
    assert (figures.delivered, figures.utilisation) == (1, 0)


def test_on_the_cluster_every_model_is_placed_and_stays_loaded() -> None:
    placement = placement_of(scenario("cluster"))
    assert placement.plan.unplaced == ()
    assert len(placement.by_gpu) == 7
    assert all(set(here.loaded) == set(here.models) for here in placement.by_gpu.values())
    served = {model for here in placement.by_gpu.values() for model in here.models}
    assert served == {model.name for model in scenario("cluster").models}


def test_on_the_laptop_one_group_serves_all_and_loads_what_is_asked_for_most() -> None:
    placement = placement_of(scenario("laptop"))
    [here] = placement.by_gpu.values()
    assert len(here.models) == 12
    expected = expected_calls(scenario("laptop"))
    assert min(expected[m] for m in here.loaded) > expected["mistral:7b"]
    assert placement.plan.groups[0].required_mib <= 8188 - 1024
