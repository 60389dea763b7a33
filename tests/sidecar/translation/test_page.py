"""docs/translation.md is written by the tables."""

from pathlib import Path

from penstock_sidecar.translation.page import page

WRITTEN = Path(__file__).parents[3] / "docs" / "translation.md"


def test_the_page_is_current() -> None:
    assert WRITTEN.read_text("utf-8") == page(), "run `make docs`"
