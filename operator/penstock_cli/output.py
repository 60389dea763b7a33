"""What the commands print with: consoles, JSON, and findings as a table."""

import json
from collections.abc import Iterable
from typing import Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from penstock_cli.finding import Finding

MAX_PLACES: Final = 25
"""Shown of what is wrong in many places; `--json` has all."""
STYLES = {"error": "bold red", "warning": "yellow"}


def stdout() -> Console:
    """Colours only on a terminal, and not where NO_COLOR is set (rich sees to both)."""
    return Console(highlight=False, soft_wrap=False)


def stderr() -> Console:
    return Console(stderr=True, highlight=False)


def print_json(document: object) -> None:
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def table_of(findings: Iterable[Finding]) -> Table:
    """Errors first; what is wrong once, then its places in the order of files and lines.

    A file that cannot be read comes before all: other errors may follow from it.
    """
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    alike: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in sorted(findings, key=_order):
        alike.setdefault((finding.severity, finding.reason, finding.message), []).append(finding)
    for (severity, reason, message), found in alike.items():
        what = Text.assemble((f"{reason}: ", "bold"), message)
        places = [*map(_where, found[:MAX_PLACES])]
        if (more := len(found) - MAX_PLACES) > 0:
            places.append(Text(f"and {more} more places", "dim"))
        table.add_row(Text(severity, STYLES[severity]), Text("\n").join([what, *places]))
    return table


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _order(finding: Finding) -> tuple[object, ...]:
    place = finding.place
    return (
        finding.severity,
        bool(finding.subject),
        place.file if place else "",
        place.line if place else 0,
        finding.subject,
        finding.path,
    )


def _where(finding: Finding) -> Text:
    parts = (
        (str(finding.place or ""), ""),
        (finding.subject, "bold"),
        (finding.path, "cyan"),
    )
    return Text("  ").join(Text(part, style) for part, style in parts if part)
