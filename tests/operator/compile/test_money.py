"""Money is exact, from the string that was written to the integer that is counted."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis.strategies import decimals

from penstock_operator.compile.money import micro_usd, pico_usd, pico_usd_per_token
from tests.operator.compile.steady import steady


@pytest.mark.parametrize(
    ("per_million", "pico"), [("0.15", 150_000), ("1", 1_000_000), ("0", 0), ("0.000001", 1)]
)
def test_a_price_per_million_tokens_is_the_price_of_one(per_million: str, pico: int) -> None:
    assert pico_usd_per_token(per_million) == pico


def test_dollars_in_micro_and_pico() -> None:
    assert micro_usd("10.5") == 10_500_000
    assert pico_usd("0.0025") == 2_500_000_000


@steady
@given(decimals(min_value=0, max_value=999_999_999_999, places=6))
def test_no_amount_that_a_resource_admits_is_rounded(amount: Decimal) -> None:
    text = f"{amount:f}"
    assert Decimal(micro_usd(text)) == amount.scaleb(6)
    assert Decimal(pico_usd(text)) == amount.scaleb(12)
    assert Decimal(pico_usd_per_token(text)) == amount.scaleb(6)
