from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.planes.plane import Plane, running_plane


@pytest.fixture
async def plane(tmp_path: Path, redis_url: str) -> AsyncIterator[Plane]:
    """A whole sidecar that serves, on a Redis of its own."""
    async with running_plane(tmp_path, redis_url) as running:
        yield running
