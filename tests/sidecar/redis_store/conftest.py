"""Stores to test, and scripts to run."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from penstock_config.credentials import RedisAccess
from penstock_sidecar.redis_store import RedisStore, connect
from penstock_sidecar.store import Script

PATIENCE_SECONDS: Final = 5.0
"""Machines that run tests are busy; a few tests are about the real deadline."""


def script(text: str) -> Script:
    return Script("test", text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


INCREMENT: Final = script("for i = 1, #KEYS do redis.call('INCR', KEYS[i]) end return #KEYS")


@asynccontextmanager
async def opened(
    access: RedisAccess | str, deadline_seconds: float = PATIENCE_SECONDS
) -> AsyncIterator[RedisStore]:
    """A store that has tried to connect."""
    access = RedisAccess(url=access) if isinstance(access, str) else access
    store = await connect(access, deadline_seconds=deadline_seconds)
    try:
        yield store
    finally:
        await store.close()


async def until(condition: Callable[[], object]) -> None:
    """Bounded by the test's own time-out."""
    while True:
        if condition():
            return
        await asyncio.sleep(0.01)


async def until_it(condition: Callable[[], Awaitable[object]]) -> None:
    """As `until`, for a condition that has to ask."""
    while True:
        if await condition():
            return
        await asyncio.sleep(0.01)
