"""JSON lines on stdout: a constant dotted event name, and fields. Never a text or its vector.

An exception is its class and its places, not its message: libraries put what they were given there.
"""

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Final, TextIO

import orjson

from penstock_embedder.errors import StartError

OURS: Final = "penstock_embedder"
LEVELS: Final = ("debug", "info", "warning", "error")
MAX_FRAMES: Final = 8
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One record, one line."""

    def format(self, record: logging.LogRecord) -> str:
        ours = record.name.partition(".")[0] == OURS
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage() if ours else f"library.{record.name}",
        }
        if ours:
            fields |= {k: v for k, v in vars(record).items() if k not in _STANDARD}
        if record.exc_info and record.exc_info[0]:
            fields["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])[-MAX_FRAMES:]
            fields["places"] = [f"{each.filename}:{each.lineno} {each.name}" for each in frames]
        return orjson.dumps(fields, default=str).decode()


def configure(level: str, stream: TextIO | None = None) -> None:
    """Sets up the root logger: ours at `level`, libraries from warnings on."""
    if level not in LEVELS:
        msg = f"PENSTOCK_EMBEDDER_LOG_LEVEL={level!r}: expected one of {', '.join(LEVELS)}"
        raise StartError(msg)
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level.upper())
