"""The naive plan, and the course of requests under it."""

from collections.abc import Sequence

import pytest

from penstock_cli.simulation.engine import Engine, Run
from penstock_cli.simulation.gpu import Gpu
from penstock_cli.simulation.measures import figures_of, middle, percentile
from penstock_cli.simulation.naive import Naive
from penstock_cli.simulation.speed import Load, load_seconds, step_seconds
from penstock_cli.simulation.trace import Ask, Call
from tests.cli.simulation.test_gpu import DEVICE, LARGE, SMALL

LOADS = {"small": SMALL, "large": LARGE}


def asks(*each: tuple[float, Sequence[str], int], timeout: float = 30) -> tuple[Ask, ...]:
    """(when, models, tokens)."""
    return tuple(
        Ask(n, "some", at, timeout, tuple(Call(model, 0, tokens) for model in models))
        for n, (at, models, tokens) in enumerate(each)
    )


def run(*trace: Ask, gpus: int = 1, loads: dict[str, Load] | None = None) -> Run:
    loads = loads or LOADS
    return Engine([Gpu(DEVICE, 1024) for _ in range(gpus)], loads, Naive(loads), 100).run(trace)


def test_one_model_alone_is_served_without_a_load() -> None:
    """Where the naive plan is at its best."""
    found = run(*asks(*((n, ["large"], 100) for n in range(20)), timeout=120))
    assert figures_of(found).loads == 0
    assert figures_of(found).delivered == 20


def test_each_change_of_model_is_a_load_that_all_wait_for() -> None:
    found = run(*asks((0, ["small"], 10), (0, ["large"], 10)))
    first = load_seconds(DEVICE, SMALL) + 10 * step_seconds(DEVICE, SMALL, 1)
    second = first + load_seconds(DEVICE, LARGE) + 10 * step_seconds(DEVICE, LARGE, 1)
    assert [course.ended for course in found.courses] == [
        pytest.approx(first),
        pytest.approx(second),
    ]
    assert figures_of(found).loads == 2


def test_requests_are_answered_one_at_a_time_in_their_order() -> None:
    found = run(*asks((0, ["large"], 100), (0.1, ["large"], 100), (0.2, ["large"], 100)))
    ends = [course.ended for course in found.courses]
    each = 100 * step_seconds(DEVICE, LARGE, 1)
    assert ends == [pytest.approx(each * n) for n in (1, 2, 3)]


def test_a_request_goes_where_its_model_is_or_where_nobody_waits() -> None:
    """Of two GPUs, one has `large` in memory and the other `small`."""
    found = run(*asks((0, ["small"], 10), (0, ["large"], 10)), gpus=2)
    assert figures_of(found).loads == 0


def test_a_request_that_is_too_late_is_thrown_away_and_counted_by_cause() -> None:
    long = 10_000
    found = run(*asks((0, ["large"], long), (0, ["small"], 10)))
    figures = figures_of(found)
    assert [course.cause for course in found.courses] == ["computing", "memory"]
    assert figures.utilisation == 0
    assert figures.wasted == pytest.approx(0.3)
    assert figures.delivered == 0


def test_a_request_that_would_be_in_time_but_for_a_load_is_counted_as_such() -> None:
    slow = {name: Load(name, 1e9, 60_000, 1, 1000, 1, 1024) for name in ("a", "b")}
    found = run(*asks((0, ["b"], 10)), loads=slow)
    assert [course.cause for course in found.courses] == ["loading"]
    assert figures_of(found).stalled == pytest.approx(
        min(1.0, load_seconds(DEVICE, slow["b"]) / 100)
    )


def test_an_ensemble_is_delivered_with_more_than_half_and_its_late_members_are_not() -> None:
    quick, long = Call("large", 0, 10), Call("large", 0, 10_000)
    found = run(Ask(0, "panel", 0.0, 30, (quick, quick, long)))
    [course] = found.courses
    figures = figures_of(found)
    assert course.delivered
    assert course.ended == 30
    assert figures.output_tokens == {"large": 20}
    assert figures.cut["computing"] == 1
    assert figures.wasted == pytest.approx(0.3 - figures.utilisation)


def test_an_ensemble_without_its_quorum_is_lost_with_all_its_work() -> None:
    quick, long = Call("large", 0, 10), Call("large", 0, 10_000)
    figures = figures_of(run(Ask(0, "panel", 0.0, 30, (quick, long))))
    assert figures.utilisation == 0
    assert figures.wasted == pytest.approx(0.3)


def test_what_is_computed_after_the_traces_end_does_not_count() -> None:
    tokens = round(20 / step_seconds(DEVICE, LARGE, 1))
    figures = figures_of(run(*asks((90, ["large"], tokens))))
    assert figures.delivered == 1
    assert figures.utilisation == pytest.approx(0.1)


def test_a_model_that_no_gpu_has_room_for_is_never_answered() -> None:
    found = run(*asks((0, ["huge"], 1)), loads=LOADS | {"huge": Load("huge", 1, 1, 1, 9000, 1, 1)})
    assert figures_of(found).timed_out["memory"] == 1


def test_percentiles_are_of_what_was_seen() -> None:
    assert percentile([], 50) == 0
    assert percentile([1, 2, 3, 4, 100], 50) == 3
    assert percentile([1, 2, 3, 4, 100], 95) == 100


def test_the_middle_is_a_run_and_no_mean() -> None:
    runs = [figures_of(run(*asks((0, ["large"], n)))) for n in (100, 1, 10)]
    assert middle(runs) is runs[2]
