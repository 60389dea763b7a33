"""Signals end work as a cancellation."""

import asyncio
import os
import signal

import pytest

from penstock_cli.interruption import SIGNALS, until_signalled


@pytest.mark.parametrize("number", SIGNALS)
async def test_a_signal_ends_the_work_and_its_clean_up_runs(number: signal.Signals) -> None:
    cleaned = asyncio.Event()

    async def work() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    assert await until_signalled(work())
    assert cleaned.is_set()


async def test_a_second_signal_does_not_cut_the_clean_up_short() -> None:
    cleaned = asyncio.Event()

    async def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(10):
                await asyncio.sleep(0)
            cleaned.set()

    assert await until_signalled(work())
    assert cleaned.is_set()


async def test_work_that_ends_by_itself_was_not_signalled() -> None:
    async def work() -> None:
        pass

    assert not await until_signalled(work())


async def test_an_error_of_the_work_comes_through() -> None:
    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await until_signalled(work())
