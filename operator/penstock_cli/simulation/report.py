"""A comparison as tables for a terminal, and as JSON."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from statistics import median
from typing import Final

from rich.table import Table

from penstock_cli.simulation.comparison import Comparison, PlanName, Result
from penstock_cli.simulation.cost import Cost
from penstock_cli.simulation.engine import CAUSES, Cause
from penstock_cli.simulation.measures import Figures

TITLES: Final = {"ours": "our plan", "naive": "naive plan"}
NEED: Final = {
    "loading": "its model, or others, were loaded",
    "memory": "its model was not in memory",
    "queueing": "its model had no slot free",
    "computing": "it takes longer than that alone",
}

Costs = Mapping[PlanName, Cost]
"""By plan, of its middle run."""


def table_of(comparison: Comparison, costs: Costs) -> Table:
    """A column for each plan; medians of all seeds."""
    table = Table(box=None, pad_edge=False)
    table.add_column("median of seeds", overflow="fold")
    for result in comparison.results:
        table.add_column(TITLES[result.plan], justify="right")
    for title, of, style in _rows():
        table.add_row(title, *(of(result) for result in comparison.results), style=style)
    for title, key in (
        ("GPUs cost", "gpus_usd"),
        ("paid elsewhere", "passed_on_usd"),
        ("same tokens in the cloud", "cloud_usd"),
    ):
        table.add_row(title, *(_usd(costs[r.plan], key) for r in comparison.results))
    return table


def placement_lines(comparison: Comparison) -> Iterator[str]:
    """What the planner decided, and what it could not."""
    if comparison.placement is None:
        return
    for group in comparison.placement.groups:
        count = f"{group.replicas} x " if group.replicas > 1 else ""
        yield f"{group.node or 'on CPU'}: {count}{', '.join(group.models)}"
        if set(group.loaded) != set(group.models):
            yield f"  loaded at first: {', '.join(group.loaded)}"
    for lot in comparison.placement.unplaced:
        yield f"no place for {', '.join(lot.models)}: {lot.message}"


def document_of(name: str, seeds: int, comparison: Comparison, costs: Costs) -> dict[str, object]:
    return {
        "simulation": name,
        "seeds": seeds,
        "asked": comparison.asked,
        "plans": {
            result.plan: {
                "utilisation": result.utilisation,
                "middle": asdict(result.middle),
                "runs": [asdict(run) for run in result.runs],
                "overTime": result.over_time,
                "cost": asdict(costs[result.plan]),
            }
            for result in comparison.results
        },
        "placement": [*placement_lines(comparison)],
    }


def percent(share: float) -> str:
    return f"{share:.1%}"


def _rows() -> Iterator[tuple[str, Callable[[Result], str], str]]:
    yield "utilisation", lambda r: percent(r.utilisation), "bold"
    yield "  lowest and highest seed", _span, "dim"
    yield "computed for nothing", _share(lambda f: f.wasted), ""
    yield "loading, nothing computed", _share(lambda f: f.stalled), ""
    yield "idle", _share(lambda f: f.idle), ""
    yield "requests delivered in time", _share(lambda f: f.delivered_share), "bold"
    yield "  some of it passed on", _share(lambda f: f.passed_on / max(1, f.requests)), "dim"
    for cause in CAUSES:
        yield f"timed out: {NEED[cause]}", _count(partial(_timed_out, cause)), ""
    for cause in CAUSES:
        yield f"members missing: {cause}", _count(partial(_cut, cause)), "dim"
    yield "wait for a GPU, p50", _seconds(lambda f: f.wait_p50_seconds), ""
    yield "wait for a GPU, p95", _seconds(lambda f: f.wait_p95_seconds), ""
    yield "answered after, p50", _seconds(lambda f: f.answer_p50_seconds), ""
    yield "answered after, p95", _seconds(lambda f: f.answer_p95_seconds), ""
    yield "loads", _count(lambda f: f.loads), ""
    yield "tokens delivered", _count(lambda f: sum(f.output_tokens.values())), ""


def _timed_out(cause: Cause, figures: Figures) -> float:
    return figures.timed_out[cause]


def _cut(cause: Cause, figures: Figures) -> float:
    return figures.cut[cause]


def _median(result: Result, of: Callable[[Figures], float]) -> float:
    return median(of(run) for run in result.runs)


def _share(of: Callable[[Figures], float]) -> Callable[[Result], str]:
    return lambda result: percent(_median(result, of))


def _count(of: Callable[[Figures], float]) -> Callable[[Result], str]:
    return lambda result: f"{_median(result, of):,.0f}"


def _seconds(of: Callable[[Figures], float]) -> Callable[[Result], str]:
    return lambda result: f"{_median(result, of):.1f} s"


def _span(result: Result) -> str:
    found = [run.utilisation for run in result.runs]
    return f"{percent(min(found))} to {percent(max(found))}"


def _usd(cost: Cost, key: str) -> str:
    return f"${getattr(cost, key):.3f}"
