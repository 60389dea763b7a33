"""A child process that ends with us, and whose output is heard line by line."""

import asyncio
import contextlib
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from penstock_cli.leash import leashed

MAX_LINE_BYTES: Final = 1024 * 1024


@asynccontextmanager
async def child(
    *command: str,
    hear: Callable[[str], None],
    environment: Mapping[str, str] | None = None,
    stop_seconds: float = 5,
) -> AsyncIterator[Process]:
    """Run `command` while the block runs; then SIGTERM, and SIGKILL `stop_seconds` later.

    `hear` gets each line of both outputs. The child has a session of its own, so that a Ctrl-C is
    ours alone and we choose the order in which things end.
    """
    process = await asyncio.create_subprocess_exec(
        *leashed(*command),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        env=environment,
        start_new_session=True,
        limit=MAX_LINE_BYTES,
    )
    listening = asyncio.create_task(_listen(process, hear))
    try:
        yield process
    finally:
        await _stop(process, stop_seconds)
        await listening


async def ends_before(process: Process, ready: asyncio.Event) -> bool:
    """Wait for `ready`; True when the process ended first."""
    waits = [asyncio.ensure_future(process.wait()), asyncio.ensure_future(ready.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return not ready.is_set()


async def _listen(process: Process, hear: Callable[[str], None]) -> None:
    assert process.stdout is not None  # noqa: S101  # we asked for a pipe
    async for line in process.stdout:
        hear(line.decode(errors="replace").rstrip())


async def _stop(process: Process, stop_seconds: float) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(stop_seconds):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
