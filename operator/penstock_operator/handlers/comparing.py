"""Lists what is watched, at the start and whenever a watch may have missed something.

kopf begins a watch anew by a list when the API server has forgotten where the old one was, and
says nothing of what was deleted in between.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Final

from penstock_operator.cluster import Cluster, ClusterError
from penstock_operator.handlers.sources import Notebook, Source

COMPARE_SECONDS: Final = 600
RETRY_SECONDS: Final = 5
SETTLE_SECONDS: Final = 1
"""Watches that were cut off together begin anew one after the other."""
logger = logging.getLogger(__name__)


class Comparison:
    """`on_change`: a compilation has something new to look at. `namespaces`: empty for all."""

    def __init__(
        self,
        cluster: Cluster,
        watched: tuple[Source, ...],
        notebook: Notebook,
        namespaces: tuple[str, ...],
        on_change: Callable[[], None],
    ) -> None:
        self._cluster = cluster
        self._watched = watched
        self._notebook = notebook
        self._namespaces = namespaces
        self._on_change = on_change
        self._relisted = asyncio.Event()

    def relisted(self) -> None:
        """A watch began anew."""
        self._relisted.set()

    async def run(self, on_empty: Callable[[], None]) -> None:
        """Never ends. Where nothing exists at the start, no watch would ever speak: `on_empty`."""
        while True:
            done = await self._compare()
            if done and self._notebook.empty:
                on_empty()
            await self._pause(COMPARE_SECONDS if done else RETRY_SECONDS)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._relisted.wait()
        except TimeoutError:
            return
        await asyncio.sleep(SETTLE_SECONDS)
        self._relisted.clear()

    async def _compare(self) -> bool:
        try:
            for source, namespace in self._lists():
                if await self._notebook.compare(self._cluster, source, namespace):
                    self._on_change()
        except ClusterError as error:
            logger.warning("compare.failed", extra={"error": str(error)})
            return False
        return True

    def _lists(self) -> Iterator[tuple[Source, str | None]]:
        for source in self._watched:
            for namespace in (source.namespaced and self._namespaces) or (None,):
                yield source, namespace
