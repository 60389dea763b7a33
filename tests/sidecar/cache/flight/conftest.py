"""Sidecars that share a Redis, and one that has none."""

from collections.abc import AsyncIterator

import pytest

from penstock_sidecar.redis_store import RedisStore
from tests.sidecar.cache.builders import AbsentStore
from tests.sidecar.cache.flight.hangar import Sidecar, sidecars


@pytest.fixture
async def two(store: RedisStore) -> AsyncIterator[tuple[Sidecar, ...]]:
    async with sidecars(store, 2) as running:
        yield running


@pytest.fixture
async def cut_off() -> AsyncIterator[Sidecar]:
    """Redis is away."""
    async with sidecars(AbsentStore(), 1) as running:
        yield running[0]
