from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from penstock_config.credentials import RedisAccess
from penstock_sidecar.redis_store import RedisStore, connect

PATIENT_SECONDS = 5
"""A busy machine is no Redis that is away."""


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[RedisStore]:
    found = await connect(RedisAccess(url=redis_url), deadline_seconds=PATIENT_SECONDS)
    yield found
    await found.close()


@pytest.fixture
async def each_store(each_redis_url: str) -> AsyncIterator[RedisStore]:
    found = await connect(RedisAccess(url=each_redis_url), deadline_seconds=PATIENT_SECONDS)
    yield found
    await found.close()


@pytest.fixture
async def books(redis_url: str) -> AsyncIterator["redis.asyncio.Redis"]:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        yield client
