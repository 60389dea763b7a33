"""Vectors that the same text always gets: of unit length, in numbers that 32 bits hold."""

import base64
import hashlib
import json
import struct
from collections.abc import Iterable, Sequence
from math import sqrt

DIMENSIONS = 8
"""Few, so that people can read them."""


def texts_of(value: object) -> tuple[str, ...]:
    """One text, several, one list of tokens, or several; tokens as JSON."""
    match value:
        case None | []:
            return ()
        case str():
            return (value,)
        case [int(), *_]:
            return (json.dumps(value),)
        case [*several]:
            return tuple(one if isinstance(one, str) else json.dumps(one) for one in several)
        case _:
            return (json.dumps(value),)


def vector(text: str, model: str, dimensions: int | None = None) -> tuple[float, ...]:
    """Other models have others; one of fewer dimensions is the beginning of one of more."""
    size = dimensions or DIMENSIONS
    seed = hashlib.sha256(f"{model}\0{text}".encode("utf-8", "surrogatepass")).digest()
    data = hashlib.shake_256(seed).digest(2 * size)
    numbers = [number + 0.5 for number in struct.unpack(f"<{size}h", data)]
    length = sqrt(sum(number * number for number in numbers))
    return _short(number / length for number in numbers)


def as_base64(numbers: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def _short(numbers: Iterable[float]) -> tuple[float, ...]:
    """What is left of them in 32 bits."""
    several = tuple(numbers)
    packed = struct.pack(f"<{len(several)}f", *several)
    return tuple(struct.unpack(f"<{len(several)}f", packed))
