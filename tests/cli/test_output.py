"""Findings as a table: what comes first, and how much of it."""

import io

from rich.console import Console

from penstock_cli.finding import Finding, Place
from penstock_cli.output import MAX_PLACES, table_of


def _shown(*findings: Finding) -> list[str]:
    paper = io.StringIO()
    Console(width=200, file=paper).print(table_of(findings))
    return [line.rstrip() for line in paper.getvalue().splitlines()]


def test_a_file_that_cannot_be_read_comes_before_what_follows_from_it() -> None:
    dangling = Finding("error", "RefNotFound", "there is no", Place("a.yaml", 1), "ModelTier a/b")
    broken = Finding("error", "InvalidYaml", "expected", Place("z.yaml", 9, 2))
    warning = Finding("warning", "PriceUnknown", "no price", Place("a.yaml", 1), "LLMProvider a/b")
    shown = _shown(warning, dangling, broken)
    assert [line.split()[1] for line in shown[::2]] == [
        "InvalidYaml:",
        "RefNotFound:",
        "PriceUnknown:",
    ]


def test_what_is_wrong_in_very_many_places_is_cut_and_counted() -> None:
    shown = _shown(
        *(Finding("error", "X", "y", Place("a.yaml", n), "K a/b") for n in range(MAX_PLACES + 3))
    )
    assert len(shown) == 1 + MAX_PLACES + 1
    assert shown[-1].strip() == "and 3 more places"
