"""A vector's two spellings: a list of numbers, and base64 of 32-bit floats, little end first.

OpenAI's, whose clients ask for base64 unless told otherwise: a third of the bytes, read at once.
"""

import base64
import binascii
import sys
from array import array
from collections.abc import Sequence
from typing import Final

from penstock_sidecar.dialects.dialect import Garbled

Values = Sequence[float] | str
FLOAT_BYTES: Final = 4


def vector_of(value: object) -> Values:
    """What a provider sent, in whichever spelling. Raises `Garbled`."""
    if isinstance(value, str | list):
        return value
    raise Garbled("answered with an embedding that is no vector")


def as_floats(values: Values) -> Sequence[float]:
    """Raises `Garbled`."""
    if not isinstance(values, str):
        return values
    try:
        data = base64.b64decode(values, validate=True)
    except (binascii.Error, ValueError):
        raise Garbled("answered with an embedding that is not base64") from None
    if len(data) % FLOAT_BYTES:
        raise Garbled("answered with an embedding that is cut off")
    floats = array("f", data)
    _swap(floats)
    return floats.tolist()


def as_base64(values: Values) -> str:
    """Raises `Garbled`."""
    if isinstance(values, str):
        return values
    try:
        floats = array("f", values)
    except TypeError:
        raise Garbled("answered with an embedding that is not made of numbers") from None
    _swap(floats)
    return base64.b64encode(floats).decode()


def _swap(floats: "array[float]") -> None:
    if sys.byteorder == "big":
        floats.byteswap()
