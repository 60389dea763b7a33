"""The two scenarios of the examples, and runs of them that are made once."""

from functools import cache
from pathlib import Path
from typing import Final

import yaml

from penstock_cli.simulation.comparison import PlanName, run_of
from penstock_cli.simulation.measures import Figures, figures_of
from penstock_cli.simulation.scenario import GpuSimulation, Specification
from penstock_cli.simulation.trace import Trace, trace_of

FOLDER: Final = Path(__file__).parents[3] / "examples" / "simulation"
NAMES: Final = ("laptop", "cluster")
SEEDS: Final = range(20)


@cache
def scenario(name: str) -> Specification:
    text = (FOLDER / f"gpu-{name}.yaml").read_text("utf-8")
    return GpuSimulation.model_validate(yaml.safe_load(text)).spec


@cache
def trace(name: str, seed: int) -> Trace:
    return trace_of(scenario(name).traffic, seed)


@cache
def figures(name: str, plan: PlanName, seed: int) -> Figures:
    return figures_of(run_of(scenario(name), plan, trace(name, seed)))


def naive_figures(name: str, seed: int) -> Figures:
    return figures(name, "naive", seed)
