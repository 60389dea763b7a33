"""A store on a real Redis."""

from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from penstock_operator.ledger.store import Store, opened
from penstock_operator.settings import Settings


@pytest.fixture
async def store(each_redis_url: str) -> AsyncIterator[Store]:
    async with opened(Settings(redis_url=each_redis_url)) as found:
        yield found


@pytest.fixture
async def books(each_redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    """To write what sidecars would, and to look."""
    async with redis.asyncio.Redis.from_url(each_redis_url, decode_responses=True) as client:
        yield client
