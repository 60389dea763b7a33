"""Every decimal string that the resources admit becomes its own number, with nothing rounded."""

from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from penstock_operator.api.base import Fraction
from penstock_operator.api.provider_model import Quality
from penstock_operator.compile.scales import percent, tenths


def test_every_quality_is_a_number_of_tenths() -> None:
    written = [f"{number / 10:.1f}" for number in range(101)]
    assert [TypeAdapter(Quality).validate_python(text) for text in written] == written
    assert [tenths(text) for text in written] == list(range(101))
    assert [tenths(str(number)) for number in range(11)] == list(range(0, 101, 10))


@pytest.mark.parametrize("text", ["10.1", "-1", "7.55", "7.", "", "011"])
def test_a_quality_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Quality).validate_python(text)


def test_every_share_is_a_percentage_as_it_is_written() -> None:
    for number in range(10_001):
        text = f"{Decimal(number) / 10_000:f}"
        assert TypeAdapter(Fraction).validate_python(text) == text
        found = percent(text)
        assert Decimal(repr(found)) == Decimal(text) * 100
