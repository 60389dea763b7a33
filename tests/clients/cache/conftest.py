from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from penstock_config.cache import Cache, ExactCache
from tests.clients.house import House, running_house
from tests.clients.openai_house import OpenAiHouse, running_openai_house
from tests.planes.shipped import running

EXACT = Cache(exact=ExactCache())
PATIENT_SECONDS = 5
"""A busy machine is no Redis that is away: of that there are other tests."""


@pytest.fixture
async def house(tmp_path: Path, redis_url: str) -> AsyncIterator[House]:
    """One that keeps answers."""
    async with running_house(
        tmp_path, redis_url, redis_deadline_seconds=PATIENT_SECONDS
    ) as running:
        await running.publish(running.config(cache=EXACT))
        yield running


@pytest.fixture
async def openai_house(tmp_path: Path, redis_url: str) -> AsyncIterator[OpenAiHouse]:
    """Another, for OpenAI's other APIs."""
    async with running_openai_house(tmp_path, redis_url, PATIENT_SECONDS, cache=EXACT) as running:
        yield running


@pytest.fixture
async def other_url(house: House) -> AsyncIterator[str]:
    """Of another sidecar of the same app, which shares but Redis with the first."""
    patience = str(PATIENT_SECONDS)
    async with running(house.folder, APP="shop", REDIS_DEADLINE_SECONDS=patience) as (_, ports):
        yield f"http://localhost:{ports.application}"
