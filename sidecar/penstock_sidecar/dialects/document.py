"""A provider's JSON, parsed."""

import json
import math
from typing import Final

import orjson

MAX_DEPTH: Final = 200
"""orjson reads 1024 levels and writes 254; who writes a document again wraps it in its own."""
TOO_DEEP: Final = "nested too deep"
_WORD: Final = 2**63


def parse(data: bytes) -> object:
    """Whatever it returns can be written again. Raises `ValueError`.

    orjson is strict. Some providers send NaN in logprobs, or a surrogate pair cut in two: their
    clients read it, so the standard library gets a second try.
    """
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        return _second_try(data)
    _refuse_depth(data, document)
    return document


def _second_try(data: bytes) -> object:
    try:
        document = json.loads(data)
    except RecursionError as error:
        raise ValueError(TOO_DEEP) from error
    _refuse_depth(data, document)
    return _writable(document)


def _refuse_depth(data: bytes, document: object) -> None:
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [inner for value in level for inner in _within(value)]
        if not level:
            return
    raise ValueError(TOO_DEEP)


def _within(value: object) -> list[object]:
    """Those that may have something in them."""
    found = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [inner for inner in found if isinstance(inner, dict | list)]


def _writable(value: object) -> object:
    """Without what JSON in UTF-8 has no words for: half a surrogate pair, NaN, numbers beyond."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {_writable(name): _writable(inner) for name, inner in value.items()}
        case list():
            return [_writable(inner) for inner in value]
        case int() | float():
            return _number(value)
        case _:
            return value


def _number(value: float) -> float | None:
    """`True` and `False` are numbers too, and stay what they are."""
    if isinstance(value, int) and -_WORD <= value < 2 * _WORD:
        return value
    try:
        approximate = float(value)
    except OverflowError:
        return None
    return approximate if math.isfinite(approximate) else None
