"""How sidecars are put into pods here: asked of the cluster now and then, or said by a setting."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, Literal

from penstock_operator.cluster import ClusterError, Forbidden
from penstock_operator.injection.template import Mode

Choice = Literal["auto", "always", "never"]
LOOK_SECONDS: Final = 60
"""Nodes come and go."""
FIXED: Final[dict[Choice, Mode]] = {"always": "native", "never": "container"}
logger = logging.getLogger(__name__)


class CurrentMode:
    """What was last found out; a container until then, because every cluster runs that."""

    def __init__(self, ask: Callable[[], Awaitable[bool]]) -> None:
        self._ask = ask
        self._mode: Mode | None = None

    def __call__(self) -> Mode:
        return self._mode or "container"

    async def look(self) -> None:
        """Asks again. An API server that does not answer changes nothing; a missing right does."""
        try:
            found: Mode = "native" if await self._ask() else "container"
        except Forbidden as error:
            logger.warning("injector.nodes_forbidden", extra={"error": str(error)})
            found = "container"
        except ClusterError as error:
            logger.warning("injector.nodes_not_read", extra={"error": str(error)})
            return
        if found != self._mode:
            logger.info("injector.mode", extra={"mode": found})
        self._mode = found


@asynccontextmanager
async def watched_mode(
    choice: Choice, ask: Callable[[], Awaitable[bool]], look_seconds: float = LOOK_SECONDS
) -> AsyncIterator[Callable[[], Mode]]:
    """The mode for pods that come now, kept up to date until the block ends."""
    if choice != "auto":
        fixed = FIXED[choice]
        yield lambda: fixed
        return
    mode = CurrentMode(ask)
    await mode.look()
    looking = asyncio.create_task(_look_on(mode, look_seconds))
    try:
        yield mode
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking


async def _look_on(mode: CurrentMode, look_seconds: float) -> None:
    while True:
        await asyncio.sleep(look_seconds)
        try:
            await mode.look()
        except Exception:  # heard of by the log; one bad look must not end all later ones
            logger.exception("injector.look_failed")
