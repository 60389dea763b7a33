"""The made-up NVML, and who reads it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.nvml_library import Machine, Reader, build, reader


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a libnvidia-ml.so.1."""
    return build(tmp_path_factory.mktemp("nvml"))


@pytest.fixture(scope="session")
def old_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that lacks what came with driver 510."""
    return build(tmp_path_factory.mktemp("old-nvml"), "-DBEFORE_510")


@pytest.fixture
def machine(library: Path, tmp_path: Path) -> Machine:
    """Without a driver, until it is told to have one."""
    return Machine(library, tmp_path / "nvml")


@pytest.fixture
def reads(machine: Machine) -> Iterator[Reader]:
    with reader(machine.environment) as found:
        yield found
