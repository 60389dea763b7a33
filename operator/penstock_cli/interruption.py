"""Ctrl-C, `kill` and a closed terminal, all as one cancellation, so that `finally` always runs."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def until_signalled(work: Coroutine[object, object, None]) -> bool:
    """Run `work`; True when a signal ended it. A second signal does not hurry its clean-up."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    heard = asyncio.Event()

    def end() -> None:
        if not heard.is_set():
            heard.set()
            task.cancel()

    for number in SIGNALS:
        loop.add_signal_handler(number, end)
    try:
        await task
    except asyncio.CancelledError:
        if not heard.is_set():
            raise
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
    return heard.is_set()
