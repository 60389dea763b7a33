"""Tells Redis, for all flights that this sidecar leads, that their leaders live: by one task."""

import asyncio
import contextlib
from typing import Protocol


class Beating(Protocol):
    async def beat(self) -> None:
        """Never raises."""


class Beats:
    """Owns its task, which lives while somebody leads."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._leading: set[Beating] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, one: Beating) -> None:
        self._leading.add(one)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def discard(self, one: Beating) -> None:
        self._leading.discard(one)

    async def close(self) -> None:
        self._leading.clear()
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while self._leading:
            await asyncio.sleep(self._seconds)
            await asyncio.gather(*(one.beat() for one in self._leading))
