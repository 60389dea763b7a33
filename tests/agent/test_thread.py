"""The thread in which NVML is asked."""

import asyncio
import subprocess
import sys
import threading
from functools import partial

import pytest

from penstock_agent.thread import OneThread

HANGS = """
import asyncio, threading
from penstock_agent.thread import OneThread
async def main():
    OneThread("t").submit(threading.Event().wait)
asyncio.run(main())
"""


async def test_calls_run_one_after_the_other_in_one_thread() -> None:
    thread = OneThread[tuple[int, str]]("nvml")
    order: list[int] = []

    def call(number: int) -> tuple[int, str]:
        order.append(number)
        return threading.get_ident(), threading.current_thread().name

    futures = [thread.submit(partial(call, number)) for number in range(20)]
    found = {await future for future in futures}
    assert order == [*range(20)]
    ((ident, name),) = found
    assert name == "nvml"
    assert ident != threading.get_ident()


async def test_an_error_reaches_who_awaits_it_and_the_next_call_runs() -> None:
    thread = OneThread[float]("nvml")
    with pytest.raises(ZeroDivisionError):
        await thread.submit(lambda: 1 / 0)
    assert await thread.submit(lambda: 1.0) == 1


async def test_a_call_that_nobody_wants_any_more_is_not_made() -> None:
    thread = OneThread[object]("nvml")
    gate, made = threading.Event(), threading.Event()
    first = thread.submit(gate.wait)
    thread.submit(made.set).cancel()
    await asyncio.sleep(0)  # the loop tells the thread's future in its next turn
    gate.set()
    await first
    await thread.submit(lambda: None)
    assert not made.is_set()


def test_a_call_that_hangs_does_not_keep_the_process() -> None:
    subprocess.run([sys.executable, "-c", HANGS], check=True, timeout=60)
