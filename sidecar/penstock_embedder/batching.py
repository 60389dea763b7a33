"""Texts wait here to be embedded together: the most urgent first, none that would come too late.

Texts that arrive within some milliseconds go together, and so do those that came while all workers
had work. A batch runs in groups of texts of like length, the shortest first, so that a short text
neither is padded to a long one's length nor waits for it.
"""

import asyncio
import heapq
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from time import monotonic

from penstock_config.embedder import MAX_TEXT_CHARACTERS
from penstock_embedder.encoding.encoder import Encoder
from penstock_embedder.errors import too_late
from penstock_embedder.index.vector import Vector
from penstock_embedder.work import BatchObserver, Job, Work, too_long


class Batcher:
    """A queue and its workers; `async with` around its use. One per loop."""

    def __init__(
        self,
        encoder: Encoder,
        workers: int,
        max_batch: int,
        window_seconds: float,
        observer: BatchObserver,
    ) -> None:
        self._work = Work(encoder)
        self._max_batch = max_batch
        self._window = window_seconds
        self._observer = observer
        self._waiting: list[Job] = []
        self._numbers = count()
        self._arrived = asyncio.Event()
        self._gathering = asyncio.Lock()
        self._pool = ThreadPoolExecutor(workers, "embed")
        self._count = workers
        self._workers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Batcher":
        self._workers = [asyncio.create_task(self._serve()) for _ in range(self._count)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.cancel()
        for worker in self._workers:
            with suppress(asyncio.CancelledError):
                await worker
        self._pool.shutdown(wait=False, cancel_futures=True)
        for job in self._waiting:
            job.vector.cancel()

    @property
    def depth(self) -> int:
        """Texts that no worker has taken yet."""
        return len(self._waiting)

    async def embed(self, text: str, deadline: float) -> Vector:
        """Its unit vector. Raises `Refused`: too long, or too late by `deadline`, in monotonic
        time."""
        if len(text) > MAX_TEXT_CHARACTERS:
            raise too_long()
        vector = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, Job(deadline, next(self._numbers), text, vector))
        self._arrived.set()
        found: Vector = await vector
        return found

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if jobs := await self._gather():
                await loop.run_in_executor(self._pool, self._run, jobs, loop)

    async def _gather(self) -> list[Job]:
        async with self._gathering:  # one worker at a time, so that one gets all of them
            await self._arrived.wait()
            if self._window and len(self._waiting) < self._max_batch:
                await asyncio.sleep(self._window)
            jobs = list(self._take())
            if not self._waiting:
                self._arrived.clear()
            return jobs

    def _take(self) -> Iterator[Job]:
        now, taken = monotonic(), 0
        while self._waiting and taken < self._max_batch:
            job = heapq.heappop(self._waiting)
            if job.vector.done():  # its caller has gone
                continue
            if job.deadline <= now:
                job.vector.set_exception(too_late())
                continue
            taken += 1
            yield job

    def _run(self, jobs: list[Job], loop: asyncio.AbstractEventLoop) -> None:
        """In a worker's thread. Whatever goes wrong is told to those who wait."""

        def tell(job: Job, result: Vector | Exception) -> None:
            loop.call_soon_threadsafe(_settle, job, result)

        def embedded(texts: int, seconds: float) -> None:
            loop.call_soon_threadsafe(self._observer.embedded, texts, seconds)

        try:
            self._work.do(jobs, tell, embedded)
        except Exception as error:  # noqa: BLE001  # every caller hears of it, and so does the log
            for job in jobs:
                tell(job, error)


def _settle(job: Job, result: Vector | Exception) -> None:
    if job.vector.done():
        return
    if isinstance(result, Exception):
        job.vector.set_exception(result)
    else:
        job.vector.set_result(result)
