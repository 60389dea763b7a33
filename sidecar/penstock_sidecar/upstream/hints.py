"""What of a provider's response means something here: waits, and headers that callers may see."""

import math
import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Final

VISIBLE_PREFIXES: Final = ("x-ratelimit-", "anthropic-ratelimit-")
VISIBLE: Final = frozenset({"x-request-id", "request-id", "openai-processing-ms"})
MAX_VALUE_CHARACTERS: Final = 256
MAX_WAIT_SECONDS: Final = 86_400.0
_DURATION: Final = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)s")
"""JSON of google.protobuf.Duration."""


def visible_headers(headers: Mapping[str, str], redact: Callable[[str], str]) -> dict[str, str]:
    """Names in lower case. A value that could not be sent on is left out, as is one with a key."""
    visible = {}
    for name, value in headers.items():
        lower = name.lower()
        wanted = lower in VISIBLE or lower.startswith(VISIBLE_PREFIXES)
        if wanted and _sendable(value) and redact(value) == value:
            visible[lower] = value
    return visible


def retry_after_seconds(headers: Mapping[str, str], utc: float) -> float | None:
    """`retry-after-ms`, else `retry-after` in seconds or as a date (RFC 9110, 10.2.3)."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _bounded(milliseconds / 1000)
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None:
        return _bounded(seconds)
    try:
        return _bounded(parsedate_to_datetime(text or "").timestamp() - utc)
    except (ValueError, OverflowError):
        return None


def retry_delay_seconds(details: object) -> float | None:
    """`retryDelay` of a google.rpc.RetryInfo among an error's details (https://google.aip.dev/193)."""
    for detail in details if isinstance(details, list) else []:
        match detail:
            case {"retryDelay": str(text)} if found := _DURATION.fullmatch(text):
                return _bounded(float(found[1]))
    return None


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), MAX_WAIT_SECONDS)


def _sendable(value: str) -> bool:
    return len(value) <= MAX_VALUE_CHARACTERS and value.isascii() and value.isprintable()
