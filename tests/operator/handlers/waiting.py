"""Waits for what a server on the other side is to do."""

import asyncio
from collections.abc import Callable


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  # the other side is a server, which has no event
            await asyncio.sleep(0.01)
