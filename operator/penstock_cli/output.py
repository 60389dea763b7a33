"""What the commands print with: consoles, JSON, and findings as a table."""

import json
from collections.abc import Iterable

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from penstock_cli.finding import Finding

STYLES = {"error": "bold red", "warning": "yellow"}


def stdout() -> Console:
    """Colours only on a terminal, and not where NO_COLOR is set (rich sees to both)."""
    return Console(highlight=False, soft_wrap=False)


def stderr() -> Console:
    return Console(stderr=True, highlight=False)


def print_json(document: object) -> None:
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def table_of(findings: Iterable[Finding]) -> Table:
    """Errors first; within, in the order of files and lines."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in sorted(findings, key=_order):
        table.add_row(Text(finding.severity, STYLES[finding.severity]), _told(finding))
    return table


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _order(finding: Finding) -> tuple[object, ...]:
    place = finding.place
    return (
        finding.severity,
        place.file if place else "",
        place.line if place else 0,
        finding.subject,
        finding.path,
    )


def _told(finding: Finding) -> Text:
    about = Text("  ").join(
        Text(part, style)
        for part, style in (
            (str(finding.place or ""), ""),
            (finding.subject, "bold"),
            (finding.path, "cyan"),
        )
        if part
    )
    return Text.assemble(about, "\n", (f"{finding.reason}: ", "bold"), finding.message)
