"""When a replica that is to end may do so: once nobody has a connection to its Ollama.

Ollama itself cuts its answers when it is told to end, and does not say whom it answers. The kernel
does: the containers of a pod share their network, and with it the tables of its connections.
Whoever keeps idle connections closes them after some seconds, as sidecars do.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from penstock_operator.ollama.names import OLLAMA_PORT

TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
ESTABLISHED: Final = "01"
LOOPBACK_6: Final = "00000000000000000000000001000000"
MAPPED: Final = "0000000000000000FFFF0000"
"""Before an IPv4 address on a socket of IPv6."""
SETTLE_SECONDS: Final = 5.0
"""Until all have heard that the pod ends: who asks it meanwhile is answered as well."""
LOOK_SECONDS: Final = 0.5


def connections(table: str, port: int) -> int:
    """How many have a connection to the port from elsewhere; of `/proc/net/tcp`, or `tcp6`."""
    return sum(1 for each in _remotes(table, port) if not _is_loopback(each))


def connections_now(port: int = OLLAMA_PORT, tables: Iterable[Path] = TABLES) -> int:
    """0 where the tables cannot be read: then nothing is known to wait for."""
    found = 0
    for path in tables:
        with contextlib.suppress(OSError):
            found += connections(path.read_text("ascii", "replace"), port)
    return found


async def drained(count: Callable[[], int], settle_seconds: float = SETTLE_SECONDS) -> None:
    """Returns once nobody is there any more; who calls bounds it."""
    await asyncio.sleep(settle_seconds)
    while count() > 0:  # noqa: ASYNC110  # the kernel tells nobody
        await asyncio.sleep(LOOK_SECONDS)


def _remotes(table: str, port: int) -> Iterator[str]:
    """Addresses as the kernel writes them: each 32 bits of it in the machine's order."""
    for line in table.splitlines()[1:]:
        match line.split():
            case [_, local, remote, state, *_] if state == ESTABLISHED:
                if local.rpartition(":")[2] == f"{port:04X}":
                    yield remote.rpartition(":")[0]


def _is_loopback(address: str) -> bool:
    """127.0.0.0/8, also as IPv6 writes it, and ::1."""
    four = address.removeprefix(MAPPED)
    return address == LOOPBACK_6 or (len(four) == len("0100007F") and four.endswith("7F"))
