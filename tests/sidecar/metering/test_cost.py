"""Usage to money, exact, each token once."""

import pytest

from penstock_config.provider import Price
from penstock_sidecar.metering.cost import cost_pico_usd, dearest, highest, micro_usd
from penstock_sidecar.model import Usage
from tests.sidecar.limits import world

PLAIN = Price(input_token=2_500_000, output_token=10_000_000)
FULL = Price(
    input_token=2_500_000,
    output_token=10_000_000,
    cached_input_token=1_250_000,
    cache_write_token=3_125_000,
    reasoning_token=12_000_000,
    image=1_000_000_000,
    request=5_000_000_000,
)


@pytest.mark.parametrize(
    ("usage", "price", "images", "expected"),
    [
        (Usage(0, 0), PLAIN, 0, 0),
        (Usage(1000, 100), PLAIN, 0, 3_500_000_000),
        (Usage(1000, 100, cached_input_tokens=800), PLAIN, 0, 3_500_000_000),
        (Usage(1000, 100, reasoning_tokens=60), PLAIN, 0, 3_500_000_000),
        (Usage(1000, 0, cached_input_tokens=800), FULL, 0, 5_000_000_000 + 1_500_000_000),
        (Usage(1000, 0, cache_write_tokens=1000), FULL, 0, 5_000_000_000 + 3_125_000_000),
        (Usage(1000, 0, 600, 400), FULL, 0, 5_000_000_000 + 750_000_000 + 1_250_000_000),
        (Usage(0, 100, reasoning_tokens=40), FULL, 0, 5_000_000_000 + 600_000_000 + 480_000_000),
        (Usage(0, 0), FULL, 3, 5_000_000_000 + 3_000_000_000),
        (Usage(10, 0, cached_input_tokens=99), PLAIN, 0, 25_000_000),
        (Usage(0, 10, reasoning_tokens=99), PLAIN, 0, 100_000_000),
    ],
)
def test_every_token_is_counted_once_in_its_class(
    usage: Usage, price: Price, images: int, expected: int
) -> None:
    assert cost_pico_usd(usage, price, images) == expected


@pytest.mark.parametrize(
    ("pico", "micro"), [(0, 0), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2)]
)
def test_money_is_rounded_up_once(pico: int, micro: int) -> None:
    assert micro_usd(pico) == micro


def test_the_dearest_class_bounds_all() -> None:
    assert dearest(FULL).input_token == 3_125_000
    assert dearest(FULL).output_token == 12_000_000


def test_the_highest_price_is_above_every_model_of_the_provider() -> None:
    cheap = world.provider().models[0]
    dear = cheap.model_copy(update={"name": "big", "price": FULL})
    both = world.provider(models=(cheap, dear))
    assert highest(both) == dearest(FULL)
    assert highest(world.provider(price=None)) is None
