from collections.abc import AsyncIterator
from pathlib import Path

import ollama
import pytest
from anthropic import AsyncAnthropic

from tests.clients.anthropic_given import CALLERS_KEY
from tests.clients.house import House, running_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with running_house(tmp_path) as running:
        yield running


@pytest.fixture
async def counting_house(tmp_path: Path, redis_url: str) -> AsyncIterator[House]:
    """One that keeps books."""
    async with running_house(tmp_path, redis_url) as running:
        yield running


@pytest.fixture
async def client(house: House) -> AsyncIterator[AsyncAnthropic]:
    """As an application has it: a key of nobody's, no retries."""
    async with AsyncAnthropic(base_url=house.url, api_key=CALLERS_KEY, max_retries=0) as found:
        yield found


@pytest.fixture
async def ollama_client(house: House) -> AsyncIterator[ollama.AsyncClient]:
    """As an application has it, which knows nothing of a sidecar."""
    async with ollama.AsyncClient(host=house.url) as found:
        yield found
