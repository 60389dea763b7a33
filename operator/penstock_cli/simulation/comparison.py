"""A scenario under several plans: each with the same traces, one for each seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal, assert_never

from penstock_cli.simulation.engine import Engine, Run, Serving
from penstock_cli.simulation.fleet import devices_of, headroom_mib_of, loads_of
from penstock_cli.simulation.gpu import Gpu
from penstock_cli.simulation.measures import Figures, asked_share, figures_of, middle, over_time
from penstock_cli.simulation.naive import Naive
from penstock_cli.simulation.placing import placement_of
from penstock_cli.simulation.planned import Planned
from penstock_cli.simulation.scenario import Specification
from penstock_cli.simulation.speed import Load
from penstock_cli.simulation.trace import Trace, trace_of
from penstock_operator.ollama.planner.types import Plan

PlanName = Literal["ours", "naive"]
PARTS: Final = 36
"""Of the time, in pictures."""


@dataclass(frozen=True, slots=True)
class Result:
    """Of one plan."""

    plan: PlanName
    runs: tuple[Figures, ...]
    """By seed."""
    middle: Figures
    """The run whose utilisation is the median's, or next below it."""
    over_time: tuple[float, ...]
    """Its utilisation."""

    @property
    def utilisation(self) -> float:
        return median(run.utilisation for run in self.runs)


@dataclass(frozen=True, slots=True)
class Comparison:
    asked: float
    """Of the GPUs' time, what the median trace asks for."""
    results: tuple[Result, ...]
    placement: Plan | None
    """What the planner says, where our plan is among them."""


def compare(spec: Specification, plans: Sequence[PlanName], seeds: int) -> Comparison:
    """Raises `WrongUsage` where a model's size cannot be known, or something is not simulated."""
    loads = loads_of(spec)
    parts = devices_of(spec), loads, headroom_mib_of(spec), spec.traffic.duration_seconds
    traces = [trace_of(spec.traffic, seed) for seed in range(seeds)]
    shares = [asked_share(trace, *parts) for trace in traces]
    placement = placement_of(spec).plan if "ours" in plans else None
    return Comparison(median(shares), tuple(_result(spec, p, traces) for p in plans), placement)


def run_of(spec: Specification, plan: PlanName, trace: Trace) -> Run:
    serving, loads, pass_on_after = _serving(spec, plan)
    gpus = [Gpu(device, headroom_mib_of(spec)) for device in devices_of(spec)]
    engine = Engine(gpus, loads, serving, spec.traffic.duration_seconds, pass_on_after)
    return engine.run(trace)


def _result(spec: Specification, plan: PlanName, traces: Sequence[Trace]) -> Result:
    runs = tuple(figures_of(run_of(spec, plan, trace)) for trace in traces)
    chosen = middle(runs)
    again = run_of(spec, plan, traces[runs.index(chosen)])
    return Result(plan, runs, chosen, over_time(again, PARTS))


def _serving(
    spec: Specification, plan: PlanName
) -> tuple[Serving, Mapping[str, Load], float | None]:
    match plan:
        case "naive":
            loads = loads_of(spec, parallel=1)
            return Naive(loads), loads, None
        case "ours":
            loads = loads_of(spec)
            after = spec.fallback.after_share if spec.fallback else None
            return Planned(placement_of(spec).by_gpu, loads), loads, after
        case _:
            assert_never(plan)
