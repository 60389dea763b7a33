"""The scripts behind the targets of the Makefile that cannot all be run everywhere."""

import shutil
import subprocess

import pytest

from tests.images.conftest import ROOT

SCRIPTS = ("images", "kind")


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_shell(name: str) -> None:
    subprocess.run(["bash", "-n", ROOT / ".ci" / name], check=True)


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_pass_shellcheck(name: str) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("no shellcheck")
    done = subprocess.run(
        ["shellcheck", ROOT / ".ci" / name], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("target", "runs"),
    [("images", ".ci/images"), ("kind", ".ci/kind"), ("sbom", ".ci/sbom.py $part dist/")],
)
def test_make_runs_them(target: str, runs: str) -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", target],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert runs in done.stdout


def test_make_kind_is_labelled_as_not_run() -> None:
    """Nobody shall take it for tested; whoever runs it takes the words out."""
    for path in (".ci/kind", "docs/images.md"):
        text = (ROOT / path).read_text("utf-8")
        assert "ot run where it was written" in text, path
