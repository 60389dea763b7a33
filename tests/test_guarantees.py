"""Every guarantee on its page is shown by a test that is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "guarantees.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def named_tests() -> list[tuple[str, str]]:
    return sorted(set(NAMED.findall(PAGE.read_text("utf-8"))))


@pytest.mark.parametrize(("module", "name"), named_tests())
def test_the_page_names_a_test_that_is_there(module: str, name: str) -> None:
    source = (ROOT / module).read_text("utf-8")
    assert f"def {name}(" in source if name else "def test_" in source or "TestCase" in source


def test_every_row_names_one() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    heads = [i for i, row in enumerate(rows) if "shown by" in row]
    assert heads
    assert all(NAMED.search(row) for i, row in enumerate(rows) if i not in heads)
