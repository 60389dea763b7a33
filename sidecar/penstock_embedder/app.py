"""Puts the embedder together and runs it until it is told to stop."""

import asyncio
import contextlib
import gc
import logging
import signal
import time
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from typing import Any

from aiohttp import web

from penstock_embedder.access import Access
from penstock_embedder.answering import Answering, Means
from penstock_embedder.batching import Batcher
from penstock_embedder.encoding.encoder import Encoder
from penstock_embedder.encoding.files import find_model
from penstock_embedder.encoding.model import load_encoder
from penstock_embedder.errors import StartError
from penstock_embedder.http import Gate, Interface
from penstock_embedder.library import Bounds, Library
from penstock_embedder.memo import Memo
from penstock_embedder.metrics import Metrics
from penstock_embedder.news import News
from penstock_embedder.redis_client import client_of
from penstock_embedder.settings import Settings
from penstock_embedder.vectors import Vectors

MIB = 1024 * 1024
logger = logging.getLogger(__name__)


async def run(settings: Settings) -> None:
    """A whole life: returns after SIGTERM or SIGINT and a drain. Raises `StartError`."""
    encoder = load_encoder(find_model(settings.model), settings.backend)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(settings, encoder):
        gc.collect()
        gc.freeze()  # what lives as long as the process is not looked at again
        await stop.wait()


@asynccontextmanager
async def serving(settings: Settings, encoder: Encoder) -> AsyncIterator[int]:
    """Listens; gives the port. Leaving it drains, then lets go of everything."""
    metrics = Metrics(version("penstock"))
    gate = Gate(settings.max_waiting)
    async with AsyncExitStack() as exits:
        answering = await _answering(settings, encoder, metrics, exits)
        access = Access(settings.secret, settings.cluster)
        application = Interface(access, answering, gate, metrics).application()
        metrics.watch("in_flight", "Requests in work", lambda: gate.inside)
        port = await _listen(application, settings, exits)
        logger.info("embedder.started", extra={"port": port, "workers": settings.workers})
        yield port
        await _drain(gate, settings.drain_seconds)


async def _answering(
    settings: Settings, encoder: Encoder, metrics: Metrics, exits: AsyncExitStack
) -> Answering:
    client = client_of(settings)
    exits.push_async_callback(client.aclose)
    nature = encoder.nature
    vectors = Vectors(client, nature.dimension, settings.max_partition_entries)
    news = News(client, settings.cluster)
    bounds = Bounds(settings.max_index_mib * MIB, settings.sketch_entries)
    library = Library(vectors, news, nature.dimension, bounds, _now_ms)
    exits.push_async_callback(library.close)
    batcher = Batcher(
        encoder, settings.workers, settings.max_batch, settings.batch_ms / 1000, metrics
    )
    await exits.enter_async_context(batcher)
    memo = Memo(batcher.embed, settings.memo_texts)
    searchers = ThreadPoolExecutor(settings.workers, "search")
    exits.callback(searchers.shutdown, wait=False)
    _own(exits, news.listen(library, settings.news_ms / 1000))
    _own(exits, library.keep_clean())
    _watch(metrics, batcher, library, memo)
    means = Means(memo, library, vectors, news, searchers, metrics, _now_ms)
    return Answering(means, nature.id)


def _watch(metrics: Metrics, batcher: Batcher, library: Library, memo: Memo) -> None:
    metrics.watch("queue_depth", "Texts that no worker has taken yet", lambda: batcher.depth)
    metrics.watch("partitions", "Partitions in memory", lambda: len(library))
    metrics.watch("entries", "Vectors in memory", lambda: library.entries)
    metrics.watch("index_bytes", "Memory of vectors and their names", lambda: library.bytes)
    metrics.watch("memo_texts", "Texts whose vectors are remembered", lambda: len(memo))
    metrics.watch("memo_hits", "Vectors that were remembered", lambda: memo.hits)


async def _listen(application: web.Application, settings: Settings, exits: AsyncExitStack) -> int:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    exits.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, settings.host, settings.port)
    try:
        await site.start()
    except OSError as error:
        msg = f"cannot listen on {settings.host}:{settings.port}: {error.strerror}"
        raise StartError(msg) from error
    port: int = runner.addresses[0][1]
    return port


async def _drain(gate: Gate, seconds: float) -> None:
    """Until nothing is in work, or time is over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await gate.drain()
    logger.info("embedder.drained", extra={"left": gate.inside})


def _own(exits: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    """Runs it until the stack is left. If it breaks, that is logged when it does."""
    task = asyncio.create_task(work)
    task.add_done_callback(_broken)

    async def end() -> None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    exits.push_async_callback(end)


def _broken(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.critical("task.broken", exc_info=error)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
