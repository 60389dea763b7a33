from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acceptance.streams.stage import Stage, stage


@pytest.fixture
async def here(tmp_path: Path, redis_url: str) -> AsyncIterator[Stage]:
    async with stage(tmp_path, redis_url) as running:
        yield running
