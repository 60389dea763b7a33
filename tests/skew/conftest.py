from pathlib import Path

import pytest

from tests.skew.frozen import Frozen, unpack


@pytest.fixture(scope="session")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    """The version before."""
    return Frozen(unpack(tmp_path_factory.mktemp("frozen")))


@pytest.fixture
def code(frozen: Frozen) -> Path:
    """Its packages."""
    return frozen.code
