"""What becomes of the control loop when kopf hears nothing any more."""

import asyncio
import contextlib

import pytest

from penstock_operator.handlers.operation import WatchEnded, until_one_ends


async def refused() -> None:
    msg = "403: you may not watch"
    raise PermissionError(msg)


async def test_one_watch_that_was_refused_ends_the_process_whatever_the_others_do() -> None:
    let_go = asyncio.Event()

    async def stubborn() -> None:
        while not let_go.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await let_go.wait()

    other = asyncio.create_task(stubborn())
    with pytest.raises(WatchEnded, match="403: you may not watch"):
        await until_one_ends([asyncio.create_task(refused()), other], close_seconds=0)
    let_go.set()
    await other


async def test_stopping_stops_the_watches() -> None:
    async def hear() -> None:
        await asyncio.Event().wait()

    watch = asyncio.create_task(hear())
    waiting = asyncio.create_task(until_one_ends([watch]))
    await asyncio.wait([waiting], timeout=0)
    waiting.cancel()
    await asyncio.wait([waiting, watch])
    assert (waiting.cancelled(), watch.cancelled()) == (True, True)
