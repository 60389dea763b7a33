from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.clients.embeddings.embedders import Embedders, running_embedders


@pytest.fixture
async def here(tmp_path: Path, redis_url: str) -> AsyncIterator[Embedders]:
    async with running_embedders(tmp_path, redis_url) as running:
        yield running
