"""JSON lines on stdout: a constant dotted event name, and fields.

Everybody logs by the standard library: `logger.warning("redis.away", extra={...})`. Prompts and
keys stay out by construction: an exception is its class and its places, never its text, and of a
library's own record only the unformatted first line is kept.
"""

import logging
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, TextIO

import orjson

OURS: Final = "penstock_sidecar"
STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
QUIET_SECONDS: Final = 1
"""At most one warning or error per event name in this time; the rest are counted."""
MAX_TEXT: Final = 200
MAX_FRAMES: Final = 8


class JsonFormatter(logging.Formatter):
    """One record, one line."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": _event(record),
        }
        fields |= {k: v for k, v in vars(record).items() if k not in STANDARD}
        if record.exc_info and record.exc_info[0]:
            fields["error"] = record.exc_info[0].__name__
            fields["places"] = _places(record.exc_info[2])
        return orjson.dumps(fields, default=str).decode()


class Sparing(logging.Filter):
    """Lets one warning or error of each event name pass per second, with the count of others."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._last: dict[str, float] = {}
        self._suppressed: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        name, now = _event(record), self._monotonic()
        last = self._last.get(name)
        if last is not None and now - last < QUIET_SECONDS:
            self._suppressed[name] = self._suppressed.get(name, 0) + 1
            return False
        self._last[name] = now
        if suppressed := self._suppressed.pop(name, 0):
            record.suppressed = suppressed
        return True


def configure(level: str, stream: TextIO | None = None) -> None:
    """Sets up the root logger: ours at `level`, libraries from warnings on."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(Sparing())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level.upper())


def _event(record: logging.LogRecord) -> str:
    """A library's message may hold anything, in any number: its logger's name stands for it."""
    if record.name.partition(".")[0] == OURS:
        return record.getMessage()
    return f"library.{record.name}"


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-MAX_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
