"""A store on a real Redis, and eyes to see what is in it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from penstock_config.credentials import RedisAccess
from penstock_sidecar.redis_store import RedisStore, connect
from tests.sidecar.limits.books import Books
from tests.sidecar.limits.world_in_time import InTime

PATIENCE_SECONDS = 5
"""Machines that run tests are busy; deadlines have tests of their own."""


@pytest.fixture
async def store(each_redis_url: str) -> AsyncIterator[RedisStore]:
    opened = await connect(RedisAccess(url=each_redis_url), deadline_seconds=PATIENCE_SECONDS)
    yield opened
    await opened.close()


@pytest.fixture
def books(each_redis_url: str) -> Iterator[Books]:
    opened = Books(each_redis_url)
    yield opened
    opened.client.close()


@pytest.fixture
async def time(each_redis_url: str) -> AsyncIterator[InTime]:
    async with InTime(each_redis_url) as opened:
        yield opened


@pytest.fixture
def time_now(redis_url: str) -> Iterator[InTime]:
    """Without a loop, for what never waits."""
    opened = InTime(redis_url)
    yield opened
    opened.client.close()
