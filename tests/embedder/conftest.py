"""What stands between tests and a Redis."""

from collections.abc import AsyncIterator

import pytest

from penstock_embedder.redis_client import Client, client_of
from penstock_embedder.settings import Settings


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    """As the embedder has it."""
    found = client_of(Settings(redis_url=redis_url, secret="s"))
    yield found
    await found.aclose()


@pytest.fixture
async def each_client(each_redis_url: str) -> AsyncIterator[Client]:
    """Of every server there is."""
    found = client_of(Settings(redis_url=each_redis_url, secret="s"))
    yield found
    await found.aclose()
