"""Posts announcements as Events, after the review has been answered and never in its way."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from penstock_operator.cluster import Cluster, ClusterError
from penstock_operator.cluster.events import Note, post
from penstock_operator.metrics import Metrics
from penstock_operator.webhook.announcement import Announcement

MAX_WAITING: Final = 256
"""More are dropped and counted: Events are told to people, and nobody reads so many."""
MAX_REMEMBERED: Final = 4096
AGAIN_SECONDS: Final = 3600
"""As long as an API server keeps an Event by default."""
Post = Callable[[Announcement], Awaitable[None]]
"""Raises `ClusterError`. Posting twice must do no harm: each replica remembers for itself."""
logger = logging.getLogger(__name__)


def posting_to(cluster: Cluster) -> Post:
    """Posts as Events: the same thing of the same owner once, by whichever replica."""

    async def post_event(announcement: Announcement) -> None:
        owner = announcement.owner
        note = Note(
            kind=owner.kind,
            namespace=owner.namespace,
            name=owner.name,
            uid=owner.uid,
            type=announcement.type,
            reason=announcement.reason,
            message=announcement.message,
            occasion=(announcement.message,),
            api_version=owner.api_version,
        )
        await post(cluster, note, datetime.now(UTC))

    return post_event


class Announcer:
    """Each owner is told the same thing once an hour, though it may make a thousand pods."""

    def __init__(
        self, post: Post, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._post = post
        self._count = metrics.announcements
        self._clock = clock
        self._waiting: asyncio.Queue[Announcement] = asyncio.Queue(MAX_WAITING)
        self._told: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def tell(self, announcement: Announcement) -> None:
        """Returns at once."""
        if self._was_told(announcement):
            return
        try:
            self._waiting.put_nowait(announcement)
        except asyncio.QueueFull:
            self._count.labels("dropped").inc()
        else:
            self._remember(announcement)

    async def run(self) -> None:
        """Posts one after the other, until cancelled. What fails is not tried again."""
        while True:
            announcement = await self._waiting.get()
            try:
                await self._post(announcement)
            except ClusterError as error:
                self._count.labels("failed").inc()
                logger.warning("announcement.failed", extra={"error": str(error)})
            except Exception:  # heard of by log and metric; no text of a pod may end the injector
                self._count.labels("failed").inc()
                logger.exception("announcement.broke")
            else:
                self._count.labels("ok").inc()

    def _was_told(self, announcement: Announcement) -> bool:
        told = self._told.get(_key(announcement))
        return told is not None and self._clock() - told < AGAIN_SECONDS

    def _remember(self, announcement: Announcement) -> None:
        key = _key(announcement)
        self._told[key] = self._clock()
        self._told.move_to_end(key)
        while len(self._told) > MAX_REMEMBERED:
            self._told.popitem(last=False)


def _key(announcement: Announcement) -> tuple[str, str, str]:
    return announcement.owner.uid, announcement.reason, announcement.message
