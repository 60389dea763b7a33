"""Real Redis servers of every kind behind the sidecar's own store."""

from collections.abc import AsyncIterator

import pytest

from penstock_config.credentials import RedisAccess
from penstock_sidecar.redis_store import RedisStore


@pytest.fixture
async def store(each_redis_url: str) -> AsyncIterator[RedisStore]:
    """Patient: a busy machine is no test of warming."""
    store = RedisStore(RedisAccess(url=each_redis_url), deadline_seconds=30)
    await store.first_try()
    try:
        yield store
    finally:
        await store.close()
