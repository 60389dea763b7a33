"""Reads an answer but for its numbers, for who only passes it on: 30 MB of them take a tenth of a
second, in which nobody else in the pod is served."""

from typing import Final

import orjson

from penstock_sidecar.dialects.document import parse

SHORT_BYTES: Final = 64 * 1024
"""Read in less than a millisecond."""
MOST_BLANKS: Final = 64
"""Between a bracket and its first number."""
_BEGINS_NUMBER: Final = frozenset(b"-0123456789")


def parse_without_numbers(body: bytes) -> object:
    """The document with a zero in place of each list of numbers. Raises `ValueError`."""
    if len(body) <= SHORT_BYTES:
        return parse(body)
    first, *lists = body.split(b"[")
    try:
        return orjson.loads(b"[".join([first, *map(_shortened, lists)]))
    except orjson.JSONDecodeError:  # a string held a bracket, and lost its end
        return parse(body)


def _shortened(rest: bytes) -> bytes:
    """`rest` follows a bracket, up to the next one."""
    begin = rest[:MOST_BLANKS].lstrip()
    if not begin or begin[0] not in _BEGINS_NUMBER:
        return rest
    end = rest.find(b"]")
    return b"0" + rest[end:] if end >= 0 else rest
