"""The two scenarios of the examples, and runs of them that are made once."""

from functools import cache
from pathlib import Path
from typing import Final

import yaml

from penstock_cli.simulation.engine import Engine
from penstock_cli.simulation.fleet import devices_of, headroom_mib_of, loads_of
from penstock_cli.simulation.gpu import Gpu
from penstock_cli.simulation.measures import Figures, figures_of
from penstock_cli.simulation.naive import Naive
from penstock_cli.simulation.scenario import GpuSimulation, Specification
from penstock_cli.simulation.trace import trace_of

FOLDER: Final = Path(__file__).parents[3] / "examples" / "simulation"
NAMES: Final = ("laptop", "cluster")
SEEDS: Final = range(20)


@cache
def scenario(name: str) -> Specification:
    text = (FOLDER / f"gpu-{name}.yaml").read_text("utf-8")
    return GpuSimulation.model_validate(yaml.safe_load(text)).spec


@cache
def naive_figures(name: str, seed: int) -> Figures:
    spec = scenario(name)
    loads = loads_of(spec, parallel=1)
    gpus = [Gpu(device, headroom_mib_of(spec)) for device in devices_of(spec)]
    engine = Engine(gpus, loads, Naive(loads), spec.traffic.duration_seconds)
    return figures_of(engine.run(trace_of(spec.traffic, seed)))
