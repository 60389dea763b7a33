"""Amounts as the API server writes them, so that what is there can be compared with what is wanted.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re
from typing import Final

_UNITS: Final = {"Mi": 1, "Gi": 1024, "Ti": 1024 * 1024}
_SIZE: Final = re.compile(r"([0-9]+)(Mi|Gi|Ti)")


def mebibytes(amount: int) -> str:
    """In the largest unit that divides it: `2048` is `2Gi`."""
    unit = max(
        (each for each, size in _UNITS.items() if amount % size == 0), key=_UNITS.__getitem__
    )
    return f"{amount // _UNITS[unit]}{unit}" if amount else "0"


def in_mebibytes(text: str) -> int | None:
    """`None` for what is written in another unit."""
    found = _SIZE.fullmatch(text)
    return int(found[1]) * _UNITS[found[2]] if found else None
