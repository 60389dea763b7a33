"""Sidecars of several apps on one Redis, each whole, in this loop."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.planes.plane import Plane, running_plane

Tenant = Callable[[str], Awaitable[Plane]]


@pytest.fixture
async def tenant(tmp_path: Path, redis_url: str) -> AsyncIterator[Tenant]:
    """Starts the sidecar of an app."""
    async with AsyncExitStack() as stack:

        async def start(app: str) -> Plane:
            folder = tmp_path / app
            folder.mkdir()
            return await stack.enter_async_context(running_plane(folder, redis_url, app=app))

        yield start


@pytest.fixture
async def plane(tenant: Tenant) -> Plane:
    return await tenant("shop")
