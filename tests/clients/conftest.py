from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import ollama
import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from penstock_cli.stub import Ok
from penstock_config.policy import Memory
from tests.clients.anthropic_given import CALLERS_KEY
from tests.clients.apps import ANSWER, Apps
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


@pytest.fixture
async def apps(tmp_path: Path, redis_url: str) -> AsyncIterator[Apps]:
    """Of a policy that remembers conversations."""
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(running_house(tmp_path, redis_url))
        await house.publish(house.config(memory=Memory()))
        openai = AsyncOpenAI(base_url=f"{house.url}/v1", api_key="app", max_retries=0)
        anthropic = AsyncAnthropic(base_url=house.url, api_key="app", max_retries=0)
        await stack.enter_async_context(openai)
        await stack.enter_async_context(anthropic)
        for stub in (house.openai, house.anthropic, house.ollama):
            stub.always(Ok(ANSWER))
        yield Apps(house, openai, anthropic)
