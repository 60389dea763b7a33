"""What is done beside requests: a bounded number of errands, each forgotten rather than waited for.

Owned by who made it: `close` ends all of them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from penstock_sidecar.cache.semantic.embedder import EmbedderUnavailable, TextTooLong

logger = logging.getLogger(__name__)

MOST_WAITING: Final = 256
"""About half a megabyte of questions. What comes then is dropped."""
AT_ONCE: Final = 2

Errand = Callable[[], Awaitable[None]]


class Errands:
    """Run in order, a few at a time."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._waiting: asyncio.Queue[Errand] = asyncio.Queue(most_waiting)
        self._runners: list[asyncio.Task[None]] = []
        self._closed = False

    def add(self, errand: Errand) -> bool:
        """Returns at once; False where it is dropped."""
        if self._closed or self._waiting.full():
            return False
        self._waiting.put_nowait(errand)
        if len(self._runners) < AT_ONCE:
            self._runners.append(asyncio.create_task(self._run()))
        return True

    async def settled(self) -> None:
        """Returns when nothing is left to do."""
        await self._waiting.join()

    async def close(self) -> None:
        """What is not done yet is dropped."""
        self._closed = True
        for runner in self._runners:
            runner.cancel()
        await asyncio.gather(*self._runners, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            errand = await self._waiting.get()
            try:
                await errand()
            except (EmbedderUnavailable, TextTooLong):
                pass  # the embedder's breaker tells, or there is nothing to tell
            except Exception as error:  # noqa: BLE001  # the log hears, without what it says
                logger.error("cache.errand_failed", extra={"error": type(error).__name__})  # noqa: TRY400  # its text may quote a prompt
            finally:
                self._waiting.task_done()
