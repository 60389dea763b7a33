"""A process from its start to its end: until a signal comes, or its work fails."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, Final, NoReturn

FAILED: Final = 1
OURS: Final = "penstock_"
"""Errors of these packages say themselves what to do, and need no traceback."""


def run_to_end(work: Coroutine[Any, Any, None], logger: logging.Logger) -> int:
    """The exit code: 0 when SIGTERM or SIGINT ended it, or it ended by itself."""
    code = asyncio.run(_until_signal(work, logger))
    if any(each.daemon for each in threading.enumerate()):
        _leave(code)
    return code


def _leave(code: int) -> NoReturn:
    """Ends the process beside a thread that does not want to: it would run on while the
    interpreter is taken apart under it, and might take the exit code along."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


async def _until_signal(work: Coroutine[Any, Any, None], logger: logging.Logger) -> int:
    running = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        logger.info("process.stopped")
    except Exception as failure:  # the log and whoever started the process hear of it
        for leaf in _leaves(failure):
            ours = type(leaf).__module__.startswith(OURS)
            text = f"{type(leaf).__name__}: {leaf}"
            logger.error(  # noqa: TRY400
                "process.failed", extra={"error": text}, exc_info=None if ours else leaf
            )
        return FAILED
    return 0


def _leaves(failure: BaseException) -> Iterator[BaseException]:
    """The exceptions inside of a group, or the one itself."""
    if isinstance(failure, BaseExceptionGroup):
        for each in failure.exceptions:
            yield from _leaves(each)
    else:
        yield failure
