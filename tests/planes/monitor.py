"""What a Redis server did and when, by its own clock: MONITOR, read by a thread."""

import re
import socket
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

LINE = re.compile(rb'^\+(\d+)\.(\d{6}) \[\d+ lua\] "(\w+)"(?: "([^"]*)")?')


class Moment(NamedTuple):
    """A script's time, in microseconds: a busy machine may halt the server between what it says of
    a call and the call."""

    earliest_us: int
    latest_us: int


class Monitor:
    """Complete once its block has ended."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._pieces: list[bytes] = []
        self._reader = threading.Thread(target=self._read)

    def moments_by_key(self, command: str) -> dict[str, list[Moment]]:
        """When scripts asked for the time that called `command` then, by the call's first argument:
        they count by that time, and the call itself may come later."""
        wanted, found = command.encode(), defaultdict[str, list[Moment]](list)
        asked_us, moment, asks = 0, Moment(0, 0), False
        for m in filter(None, map(LINE.match, self.lines())):
            at_us = int(m[1]) * 1_000_000 + int(m[2])
            if asks:
                moment, asks = Moment(asked_us, at_us), False
            if m[3] == b"TIME":
                asked_us, asks = at_us, True
            elif m[3].upper() == wanted:
                found[(m[4] or b"").decode()].append(moment)
        return found

    def lines(self) -> list[bytes]:
        """What came until now, as the server wrote it."""
        return b"".join(self._pieces).split(b"\r\n")

    def begin(self) -> None:
        self._connection.sendall(b"MONITOR\r\n")
        assert self._connection.recv(64).startswith(b"+OK")
        self._reader.start()

    def end(self) -> None:
        self._connection.shutdown(socket.SHUT_WR)  # both ways it would be reset by what still comes
        self._reader.join()

    def _read(self) -> None:
        while piece := self._connection.recv(1 << 20):
            self._pieces.append(piece)


@contextmanager
def monitored(redis_url: str) -> Iterator[Monitor]:
    """Records until the block ends."""
    at = urlsplit(redis_url)
    with socket.create_connection((at.hostname or "", at.port or 0)) as connection:
        monitor = Monitor(connection)
        monitor.begin()
        try:
            yield monitor
        finally:
            monitor.end()
