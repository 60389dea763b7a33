"""Vouches that hardware, traces and the naive plan are those that were committed before another
plan was served.

python -m tests.cli.simulation.frozen
"""

import hashlib
import sys
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Final

from penstock_cli.simulation.fleet import devices_of
from penstock_cli.simulation.speed import Device
from penstock_cli.simulation.trace import digest_of
from tests.cli.simulation.scenarios import NAMES, SEEDS, naive_figures, scenario, trace

FROZEN: Final = Path(__file__).parent / "frozen.txt"


def promised() -> dict[str, str]:
    """What was committed: name -> digest or figure."""
    lines = FROZEN.read_text("utf-8").splitlines()
    return dict(line.split("  ")[::-1] for line in lines)


def of_traces(name: str) -> str:
    traces = (digest_of(trace(name, seed)) for seed in SEEDS)
    return _digest(" ".join(traces))


def of_hardware(name: str) -> str:
    """Devices and models as they are written down."""
    devices = [_of_device(device) for device in devices_of(scenario(name))]
    models = sorted(model.model_dump_json(exclude={"cloud"}) for model in scenario(name).models)
    return _digest(repr((devices, models)))


def _of_device(device: Device) -> dict[str, object]:
    """Without its name among partitions, by which the planner finds it."""
    return {field: value for field, value in asdict(device).items() if field != "profile"}


def of_naive(name: str) -> str:
    """The median of its utilisation, in whole per cent."""
    found = median(naive_figures(name, seed).utilisation for seed in SEEDS)
    return f"{found:.0%}"


def all_of(name: str) -> dict[str, str]:
    return {
        f"traces of the {name}": of_traces(name),
        f"hardware of the {name}": of_hardware(name),
        f"naive plan on the {name}": of_naive(name),
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    for each in NAMES:
        sys.stdout.writelines(f"{value}  {what}\n" for what, value in all_of(each).items())
