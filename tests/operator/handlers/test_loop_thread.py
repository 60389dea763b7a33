"""A coroutine in a loop of its own: how it ends, and that it ends."""

import asyncio
import contextlib
import threading

import pytest

from penstock_operator.handlers.loop_thread import LoopThread


async def test_it_runs_in_another_thread_and_ends() -> None:
    seen: list[int] = []

    async def main() -> None:
        seen.append(threading.get_ident())

    thread = LoopThread(main)
    thread.start()
    await thread.ended
    assert seen != [threading.get_ident()]


async def test_an_exception_reaches_whoever_waits() -> None:
    async def main() -> None:
        raise ZeroDivisionError

    thread = LoopThread(main)
    thread.start()
    with pytest.raises(ZeroDivisionError):
        await thread.ended


async def test_cancelling_lets_it_clean_up() -> None:
    began, cleaned = threading.Event(), threading.Event()

    async def main() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    thread = LoopThread(main)
    thread.start()
    await asyncio.to_thread(began.wait)
    thread.cancel()
    await thread.ended
    assert cleaned.is_set()
    thread.cancel()


async def test_cancelled_before_it_began_it_ends_at_once() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    thread = LoopThread(main)
    thread.cancel()
    thread.start()
    await thread.ended


async def test_a_failure_is_told_while_other_tasks_refuse_to_end() -> None:
    let_go = threading.Event()

    async def stubborn() -> None:
        while not let_go.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.to_thread(let_go.wait)

    async def fail() -> None:
        other = asyncio.create_task(stubborn())
        await asyncio.wait([other], timeout=0)
        raise ZeroDivisionError

    thread = LoopThread(fail)
    thread.start()
    with pytest.raises(ZeroDivisionError):
        await thread.ended
    assert thread.is_alive()
    let_go.set()
    await asyncio.to_thread(thread.join)
