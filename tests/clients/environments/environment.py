"""Environments of other people's clients: `make unit` makes them from requirements/."""

import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[3]


def python_of(name: str) -> Path:
    """The environment's Python. Skips where nobody has made it."""
    python = ROOT / ".venvs" / name / "bin" / "python"
    if not python.exists():
        pytest.skip(f"needs .venvs/{name}: `make unit` makes it")
    return python


def packages_of(name: str) -> Path:
    found = python_of(name).parents[1].glob("lib/python3.*/site-packages")
    return next(found)


def beside(name: str, package: str, folder: Path) -> Mapping[str, str]:
    """An environment to run this very Python in, with another version of one package: the one that
    `name` has, and what it needs that we have not."""
    packages = packages_of(name)
    for path in packages.iterdir():
        module = path.stem
        if path.name == package or (path.is_dir() and not _here(module)):
            (folder / path.name).symlink_to(path)
    return {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}


def _here(module: str) -> bool:
    return not module.isidentifier() or importlib.util.find_spec(module) is not None


def this_python() -> str:
    return sys.executable
