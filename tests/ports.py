"""Ports that a test may name before it listens on them."""

import fcntl
import itertools
import socket
import tempfile
from pathlib import Path
from typing import Final

PORTS: Final = range(20_000, 22_768)
"""Below those that the kernel gives to whoever asks for any, cluster bus ports too: one of those
may be gone before it is used, even to the very connection that asks whether somebody listens."""
BUS_OFFSET: Final = 10_000
"""A Redis Cluster node's second port is its first plus this."""
LAST: Final = Path(tempfile.gettempdir(), "penstock-test-port")
"""Which one was given last, to all test processes of the machine."""


def free_port() -> int:
    """A port of 127.0.0.1 that is free, and whose cluster bus port is; no other test gets it until
    all others were given."""
    with LAST.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        first = int(file.read() or 0)
        for number in itertools.count(first + 1):
            port = PORTS[number % len(PORTS)]
            if is_free(port) and is_free(port + BUS_OFFSET):
                file.truncate(0)
                file.write(str(number))
                return port
    raise AssertionError


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
