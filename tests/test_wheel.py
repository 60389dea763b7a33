"""What users install: the wheel, in an empty environment, with one extra and its lock alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
INSTALL = ("install", "--quiet", "--disable-pip-version-check", "--no-compile")


class Installed:
    """An environment that holds the wheel and `requirements/<extra>.txt`."""

    def __init__(self, folder: Path, extra: str) -> None:
        self.folder = folder
        self._bin = folder / "venv" / "bin"
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        locks = [ROOT / "requirements" / f"{name}.txt" for name in ("build", extra)]
        self.run("pip", *INSTALL, "--require-hashes", *(f"-r{lock}" for lock in locks))
        self.run("pip", *INSTALL, "--no-deps", "--no-build-isolation", f"{ROOT}[{extra}]")

    def run(self, program: str, *arguments: object) -> str:
        """Its standard output; the folder is empty, so that nothing comes from the sources."""
        ended = subprocess.run(
            [self._bin / program, *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=self.folder,
            check=False,
        )
        assert ended.returncode == 0, f"{program}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def has(self, module: str) -> bool:
        find = f"import importlib.util as u; print(u.find_spec({module!r}) is not None)"
        return self.run("python", "-c", find).strip() == "True"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_command_line_runs_with_its_extra_alone(tmp_path: Path) -> None:
    installed = Installed(tmp_path, "local")
    assert not any(map(installed.has, ("kubernetes", "kopf", "torch", "pytest")))
    assert "0 errors" in installed.run("penstock", "validate", "-f", ROOT / "examples")
    assert json.loads(installed.run("penstock", "demo", "--json"))["ok"] is True


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_sidecar_starts_with_its_extra_alone(tmp_path: Path) -> None:
    installed = Installed(tmp_path, "sidecar")
    assert not any(map(installed.has, ("kubernetes", "kopf", "redis", "torch", "yaml", "typer")))
    assert "penstock-sidecar" in installed.run("penstock-sidecar", "--version")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_operator_starts_with_its_extra_alone(tmp_path: Path) -> None:
    installed = Installed(tmp_path, "operator")
    assert not any(map(installed.has, ("orjson", "torch", "typer", "uvloop")))
    assert "usage" in installed.run("python", "-m", "penstock_operator", "--help").lower()
