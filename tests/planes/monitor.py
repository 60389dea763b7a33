"""What a Redis server did and when, by its own clock: MONITOR, read by a thread."""

import re
import socket
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

LINE = re.compile(rb'^\+(\d+)\.(\d{6}) \[\d+ lua\] "(\w+)"(?: "([^"]*)")?')


class Monitor:
    """Complete once its block has ended."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._pieces: list[bytes] = []
        self._reader = threading.Thread(target=self._read)

    def times_us(self, command: str) -> list[int]:
        """When scripts called `command`, in microseconds."""
        return sorted(time for times in self.times_us_by_key(command).values() for time in times)

    def times_us_by_key(self, command: str) -> dict[str, list[int]]:
        """The same, by the call's first argument."""
        wanted, times = command.encode(), defaultdict[str, list[int]](list)
        for m in map(LINE.match, self.lines()):
            if m and m[3].upper() == wanted:
                times[(m[4] or b"").decode()].append(int(m[1]) * 1_000_000 + int(m[2]))
        return times

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
