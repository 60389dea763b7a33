"""Cuts a stream of bytes into events, however the network cut it."""

import re
from typing import Final

SSE_END: Final = re.compile(rb"\n\r?\n")
"""The blank line after an event (WHATWG HTML, 9.2.6), with LF or CRLF. A lone CR as a line's end is
in the standard but on no provider's wire; such a stream ends at the size bound."""
LINE_END: Final = re.compile(rb"\n")
MAX_EVENT_BYTES: Final = 8 * 1024 * 1024
"""A picture that a model has made is in one event, as base64: up to some 4 MB from OpenAI."""
_LONGEST_END: Final = 3


class EventTooLarge(Exception):
    """An event is larger than `MAX_EVENT_BYTES`."""


class Splitter:
    """Feed it what comes; take whole events, their ends included, byte for byte."""

    __slots__ = ("_buffer", "_end", "_max_bytes", "_scanned", "_start")

    def __init__(self, end: re.Pattern[bytes], max_bytes: int = MAX_EVENT_BYTES) -> None:
        self._end = end
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._start = 0
        self._scanned = 0

    def feed(self, data: bytes) -> None:
        del self._buffer[: self._start]
        self._scanned -= self._start
        self._start = 0
        self._buffer += data

    def next(self) -> bytes | None:
        """The next whole event, or `None` until more is fed. Raises `EventTooLarge`."""
        found = self._end.search(self._buffer, self._scanned)
        stop = found.end() if found else len(self._buffer)
        if stop - self._start > self._max_bytes:
            raise EventTooLarge
        if found is None:
            self._scanned = max(self._start, stop - _LONGEST_END + 1)
            return None
        event = bytes(self._buffer[self._start : stop])
        self._start = self._scanned = stop
        return event

    def rest(self) -> bytes:
        """What is left without an end, once the stream is over."""
        return bytes(self._buffer[self._start :])
