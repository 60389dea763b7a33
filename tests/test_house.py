"""Rules of the house that no linter knows."""

import ast
import operator
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAX_LINES = 400
SOURCES = sorted(p for top in ("operator", "sidecar", "bench") for p in (ROOT / top).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("top", ["operator", "sidecar"])
def test_top_level_directories_are_not_packages(top: str) -> None:
    """`operator/__init__.py` would hide the standard library's `operator`."""
    assert not (ROOT / top / "__init__.py").exists()
    assert operator.add(1, 1) == 2


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=_name)
def test_modules_stay_short(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_modules_say_what_they_are_for(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not text.strip() or text.startswith(('"""', "#!")), "the first line is a docstring"


@pytest.mark.parametrize("path", [p for p in SOURCES if p.name == "__main__.py"], ids=_name)
def test_programs_do_nothing_when_they_are_imported(path: Path) -> None:
    """An image's build imports every module."""
    *_, last = ast.parse(path.read_text("utf-8")).body
    assert isinstance(last, ast.If)
    assert ast.unparse(last.test) == "__name__ == '__main__'"


@pytest.mark.parametrize("path", sorted({p.parent for p in TESTS}), ids=_name)
def test_test_directories_are_packages(path: Path) -> None:
    """Without `__init__.py`, `tests/operator` replaces the standard library's module."""
    assert (path / "__init__.py").exists()


def test_every_lua_file_declares_its_keys() -> None:
    scripts = sorted((ROOT / "sidecar").rglob("*.lua"))
    assert scripts
    for script in scripts:
        header = script.read_text("utf-8").split("\n\n")[0]
        assert {"KEYS", "ARGV"} <= set(re.findall(r"KEYS|ARGV", header)), script


@pytest.mark.parametrize("path", LOCKS, ids=_name)
def test_locks_hold_no_accelerator_libraries_and_no_host(path: Path) -> None:
    names = re.findall(r"^([A-Za-z0-9._-]+)==", path.read_text("utf-8"), re.MULTILINE)
    assert names
    assert [n for n in names if n.startswith("nvidia-") and n != "nvidia-ml-py"] == []
    assert "://" not in path.read_text("utf-8")


BLOCK = """
import sys
for name in sys.argv[2].split(","):
    sys.modules[name] = None
__import__(sys.argv[1])
"""


@pytest.mark.parametrize(
    ("entry", "absent"),
    [
        (
            "penstock_operator.__main__",
            "penstock_sidecar,penstock_embedder,penstock_cli,redis,numpy,torch,typer",
        ),
        (
            "penstock_agent.__main__",
            "penstock_sidecar,penstock_embedder,penstock_cli,kopf,redis,cryptography,numpy,torch,"
            "typer,pynvml",
        ),
        (
            "penstock_sidecar.__main__",
            "penstock_operator,penstock_embedder,penstock_cli,kopf,kubernetes,yaml,numpy,torch,typer,"
            "PIL",
        ),
        (
            "penstock_embedder.__main__",
            "penstock_operator,penstock_sidecar,penstock_cli,kopf,kubernetes,numpy,onnx,"
            "onnxruntime,torch,typer",
        ),
        ("penstock_cli.__main__", "kopf,kubernetes,cryptography,numpy,torch"),
    ],
)
def test_an_entry_point_starts_without_what_it_does_not_ship(entry: str, absent: str) -> None:
    subprocess.run([sys.executable, "-P", "-c", BLOCK, entry, absent], check=True)
