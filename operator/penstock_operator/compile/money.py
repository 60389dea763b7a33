"""Dollars as decimal strings into exact integers. No float ever holds money."""

from decimal import ROUND_CEILING, Context, Decimal
from typing import Final

MICRO_PER_USD: Final = 10**6
PICO_PER_USD: Final = 10**12
TOKENS_PER_PRICE: Final = 10**6
"""Providers quote prices per million tokens."""

_EXACT: Final = Context(prec=60, rounding=ROUND_CEILING)
"""Wider than any amount the resources admit, so that nothing is rounded but below the unit."""


def micro_usd(amount: str) -> int:
    """Dollars in millionths; a rest below one counts as one."""
    return _scaled(amount, MICRO_PER_USD)


def pico_usd(amount: str) -> int:
    """Dollars in millionths of a millionth."""
    return _scaled(amount, PICO_PER_USD)


def pico_usd_per_token(per_million: str) -> int:
    """A price per million tokens as the price of one: `0.15` is 150,000."""
    return _scaled(per_million, PICO_PER_USD // TOKENS_PER_PRICE)


def _scaled(amount: str, factor: int) -> int:
    return int(_EXACT.multiply(Decimal(amount), factor).to_integral_value(ROUND_CEILING))
