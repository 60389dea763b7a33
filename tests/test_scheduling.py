"""Which tests run beside which: said in `conftest`, by markers, and in the Makefile's folders."""

import re
from pathlib import Path
from typing import Final

from tests.conftest import ALONE, PAIRED

ROOT: Final = Path(__file__).parent.parent
MAKEFILE: Final = (ROOT / "Makefile").read_text("utf-8")


def folders(variable: str) -> set[Path]:
    """Those that the Makefile names."""
    found = re.search(rf"^{variable} := (.+)$", MAKEFILE, re.MULTILINE)
    assert found
    return {ROOT / folder for folder in found[1].split()}


def marked(marker: str) -> set[Path]:
    """Files with a test that has the marker."""
    written = re.compile(rf"\bmark\.{marker}\b")
    files = (ROOT / "tests").rglob("test_*.py")
    return {path for path in files if written.search(path.read_text("utf-8"))}


def test_all_that_runs_alone_is_in_the_folders_where_the_makefile_looks() -> None:
    alone = ALONE | marked("alone")
    assert len(alone) > len(ALONE)
    outside = [path for path in alone if folders("ALONE").isdisjoint(path.parents)]
    assert not outside, "add their folders to ALONE in the Makefile"
    assert not [path for path in alone if not path.exists()]


def test_all_that_runs_two_at_a_time_is_in_the_folders_where_the_makefile_looks() -> None:
    paired = PAIRED | marked("paired")
    missing = [path for path in paired if folders("PAIRED").isdisjoint({path, *path.parents})]
    assert not missing, "add their folders to PAIRED in the Makefile"
    assert not [path for path in paired if not path.exists()]
