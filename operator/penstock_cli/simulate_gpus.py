"""`penstock simulate-gpus`: a fleet of GPUs under a trace of requests, before anybody buys it."""

from dataclasses import dataclass
from pathlib import Path

from penstock_cli.failure import WrongUsage
from penstock_cli.output import counted, print_json, stderr, stdout, table_of
from penstock_cli.simulation import report
from penstock_cli.simulation.comparison import Comparison, PlanName, compare
from penstock_cli.simulation.cost import cost_of
from penstock_cli.simulation.reading import read_simulation
from penstock_cli.simulation.scenario import GpuSimulation
from penstock_operator.catalogue.prices import shipped

PLANS: dict[str, tuple[PlanName, ...]] = {
    "both": ("ours", "naive"),
    "ours": ("ours",),
    "naive": ("naive",),
}


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where results go besides the terminal; empty: nowhere."""

    as_json: bool = False
    png: str = ""
    html: str = ""


def simulate_gpus(path: str, plan: str, seeds: int, outputs: Outputs) -> int:
    """1 when the file is not fit to be simulated."""
    if plan not in PLANS:
        raise WrongUsage(f"--plan {plan}: there are {', '.join(PLANS)}")
    found = read_simulation(path)
    if not isinstance(found, GpuSimulation):
        stderr().print(table_of(found))
        return 1
    _show(found, compare(found.spec, PLANS[plan], seeds), seeds, outputs)
    return 0


def _show(simulation: GpuSimulation, comparison: Comparison, seeds: int, outputs: Outputs) -> None:
    prices = shipped()
    costs = {r.plan: cost_of(simulation.spec, r.middle, prices) for r in comparison.results}
    name = simulation.name
    if outputs.as_json:
        print_json(report.document_of(name, seeds, comparison, costs))
    else:
        out = stdout()
        asked = report.percent(comparison.asked)
        out.print(f"{name}: {counted(seeds, 'seed')}; asked for: {asked} of the GPUs' time\n")
        out.print(report.table_of(comparison, costs))
        for line in report.placement_lines(comparison):
            out.print(line, markup=False)
    if outputs.png:
        from penstock_cli.simulation.charts import png_of

        title = f"GPUs of {name}: {counted(seeds, 'seed')}"
        Path(outputs.png).write_bytes(png_of(title, comparison))
    if outputs.html:
        from penstock_cli.simulation.page import page_of

        Path(outputs.html).write_text(page_of(name, seeds, comparison, costs), "utf-8")
