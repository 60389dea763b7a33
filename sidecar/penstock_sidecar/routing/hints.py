"""What providers say of their own limits, in the headers of their answers."""

from collections.abc import Iterator, Mapping
from typing import Final

WHAT: Final = ("requests", "tokens")


def share_left(headers: Mapping[str, str]) -> float | None:
    """Of the tightest limit that is named, 0 to 1; `None` where none is."""
    return min(_shares(headers), default=None)


def _shares(headers: Mapping[str, str]) -> Iterator[float]:
    for what in WHAT:
        for limit, remaining in (
            (f"x-ratelimit-limit-{what}", f"x-ratelimit-remaining-{what}"),
            (f"anthropic-ratelimit-{what}-limit", f"anthropic-ratelimit-{what}-remaining"),
        ):
            most, left = _number(headers.get(limit)), _number(headers.get(remaining))
            if most and left is not None:
                yield min(1.0, left / most)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None
