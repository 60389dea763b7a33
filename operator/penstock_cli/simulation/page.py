"""A comparison as one page that needs nothing else: light or dark as its reader has it."""

from collections.abc import Iterator
from html import escape
from typing import Final

from rich.table import Table

from penstock_cli.simulation.charts import svg_of
from penstock_cli.simulation.comparison import Comparison
from penstock_cli.simulation.report import Costs, percent, placement_lines, table_of

STYLE: Final = """
:root { color-scheme: light dark; --paper: #fcfcfb; --ink: #1f1e1b; --dim: #6b6a65;
  --line: #e2e1dc }
@media (prefers-color-scheme: dark) {
  :root { --paper: #1a1a19; --ink: #e8e7e1; --dim: #a3a29b; --line: #3a3936 }
  .light { display: none }
}
@media (prefers-color-scheme: light) { .dark { display: none } }
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  max-width: 46rem; margin: 0 auto; padding: 1.25rem }
h1 { font-size: 1.4rem; margin: 0 } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem }
p, li { color: var(--dim); margin: .3rem 0 }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
td, th { text-align: right; padding: .3rem .4rem; border-bottom: 1px solid var(--line);
  font-weight: normal }
td:first-child, th:first-child { text-align: left }
tr.bold td { font-weight: 600 } tr.dim td { color: var(--dim); font-size: .9rem }
svg { width: 100%; height: auto; display: block }
"""


def page_of(name: str, seeds: int, comparison: Comparison, costs: Costs) -> str:
    """UTF-8 HTML."""
    title = escape(f"GPUs of {name}")
    placed = "".join(f"<li>{escape(line)}</li>" for line in placement_lines(comparison))
    charts = "".join(f'<div class="{s}">{svg_of(comparison, s)}</div>' for s in ("light", "dark"))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{STYLE}</style></head><body>
<h1>{title}</h1>
<p>A simulation of {seeds} seeds. The trace asks for {percent(comparison.asked)} of the GPUs' time
with four requests of a model at once. Utilisation is the share of GPU time that computed answers
which were delivered within their time-out.</p>
<div class="wide"><table>{"".join(_rows(table_of(comparison, costs)))}</table></div>
<h2>Pictures</h2>{charts}
{f"<h2>What the planner placed</h2><ul>{placed}</ul>" if placed else ""}
</body></html>
"""


def _rows(table: Table) -> Iterator[str]:
    columns = [[str(cell) for cell in column.cells] for column in table.columns]
    yield _row((str(column.header) for column in table.columns), "th")
    for row, cells in zip(table.rows, zip(*columns, strict=True), strict=True):
        yield _row(cells, "td", str(row.style or ""))


def _row(cells: "Iterator[str] | tuple[str, ...]", tag: str, style: str = "") -> str:
    inner = "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)
    return f'<tr class="{style}">{inner}</tr>'
