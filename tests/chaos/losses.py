"""Ways in which one Redis forgets, under load."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from tests.chaos.load import Load, until
from tests.chaos.meter import Meter
from tests.servers import Server

SLOTS: Final = 4
"""All that may be in flight."""
TAIL: Final = 40
"""Requests between the last fsync and the machine's end."""


@dataclass(frozen=True, slots=True)
class Lost:
    billed: int
    """Micro-dollars, when it happened."""
    admitted: int = 0
    """Requests that the data which came back has never heard of: 0 where none came back, for then
    sidecars tell all they know before anybody is served."""
    in_flight: int = 0
    """Of them, not yet answered."""


Loss = Callable[[Server, Load, Meter], Awaitable[Lost]]


async def flushed(server: Server, _: Load, meter: Meter) -> Lost:
    server.call("FLUSHALL")
    return Lost(meter.billed)


async def restarted_empty(server: Server, _: Load, meter: Meter) -> Lost:
    server.kill()
    billed = meter.billed
    _clear(server)
    await asyncio.to_thread(server.start)
    return Lost(billed)


async def tail_lost(server: Server, load: Load, meter: Meter) -> Lost:
    """As a machine that falls over has it: the append-only file as it was some time ago. The
    provider's gate is shut then: who is in flight stays so, and nobody is on his way to it."""
    saved = server.directory.with_name("saved")
    came = len(meter.arrivals)
    shutil.copytree(server.directory, saved)
    await load.more(TAIL)
    meter.gate.clear()
    await until(lambda: meter.in_flight == SLOTS)
    server.kill()
    billed, in_flight = meter.billed, meter.in_flight
    _clear(server)
    shutil.copytree(saved, server.directory, dirs_exist_ok=True)
    await asyncio.to_thread(server.start)
    return Lost(billed, len(meter.arrivals) - came, in_flight)


def _clear(server: Server) -> None:
    shutil.rmtree(server.directory)
    server.directory.mkdir()


LOSSES: Final[dict[str, Loss]] = {
    "flushed": flushed,
    "restarted-empty": restarted_empty,
    "tail-lost": tail_lost,
}
