"""What embedders hear of each other."""

import asyncio
from collections.abc import Iterable
from typing import Any

from penstock_embedder.news import Change, News


class Deaf:
    """A client that loses the first cancellation, as redis-py's calls may under Python 3.11."""

    def __init__(self) -> None:
        self.called = asyncio.Event()
        self.lost = 0

    async def xrevrange(self, *_: Any, **__: Any) -> list[Any]:
        return []

    async def xrange(self, *_: Any, **__: Any) -> list[Any]:
        self.called.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.lost += 1
        return []


class Nobody:
    def namespaces(self) -> Iterable[str]:
        return ("team",)

    async def changed(self, namespace: str, change: Change) -> None:
        msg = f"{namespace} has no news: {change}"
        raise AssertionError(msg)

    def lost(self, namespace: str) -> None:
        msg = f"{namespace} lost nothing"
        raise AssertionError(msg)


async def test_listening_ends_though_its_cancellation_was_lost() -> None:
    client: Any = Deaf()
    news = News(client, "main")
    await news.follow("team")
    task = asyncio.create_task(news.listen(Nobody(), 0))
    await client.called.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert client.lost == 1
