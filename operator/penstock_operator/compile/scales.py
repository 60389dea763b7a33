"""Decimal strings of the resources into the contract's plain numbers; for money see `money`."""

from decimal import Decimal
from typing import Final

TENTHS: Final = 10
PERCENT: Final = 100


def tenths(quality: str) -> int:
    """`7.5` is 75."""
    return int(Decimal(quality) * TENTHS)


def percent(fraction: str) -> float:
    """`0.6667` is 66.67, exactly as written: a share has four decimals at most."""
    return float(Decimal(fraction) * PERCENT)
