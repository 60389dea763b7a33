"""Usage to money, exact, each token once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_config.provider import LongContext, Price
from penstock_sidecar.metering.cost import cost_pico_usd, dearest, highest, micro_usd
from penstock_sidecar.model import Usage
from tests.sidecar.metering import given as a

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
HOUR = FULL.model_copy(update={"cache_write_1h_token": 5_000_000})
STEPPED = PLAIN.model_copy(
    update={
        "long_context": LongContext(
            above_input_tokens=200_000, price=Price(input_token=5_000_000, output_token=15_000_000)
        )
    }
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
        (
            Usage(1000, 0, cache_write_tokens=1000, cache_write_1h_tokens=400),
            HOUR,
            0,
            5_000_000_000 + 600 * 3_125_000 + 400 * 5_000_000,
        ),
        (
            Usage(1000, 0, cache_write_tokens=300, cache_write_1h_tokens=400),
            FULL,
            0,
            5_000_000_000 + 700 * 2_500_000 + 300 * 3_125_000,
        ),
        (Usage(200_000, 1), STEPPED, 0, 200_000 * 2_500_000 + 10_000_000),
        (Usage(200_001, 1), STEPPED, 0, 200_001 * 5_000_000 + 15_000_000),
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
    assert dearest(HOUR).input_token == 5_000_000
    assert dearest(STEPPED) == Price(input_token=5_000_000, output_token=15_000_000)
    assert dearest(STEPPED, 200_000) == PLAIN


COUNT = st.integers(0, 400_000)
PICO = st.integers(0, 10**9)
PRICES = st.builds(
    Price,
    input_token=PICO,
    output_token=PICO,
    cached_input_token=st.none() | PICO,
    cache_write_token=st.none() | PICO,
    cache_write_1h_token=st.none() | PICO,
    reasoning_token=st.none() | PICO,
    image=PICO,
    request=PICO,
    long_context=st.none()
    | st.builds(
        LongContext,
        above_input_tokens=st.integers(1, 300_000),
        price=st.builds(Price, input_token=PICO, output_token=PICO),
    ),
)


@given(
    st.builds(Usage, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT),
    PRICES,
    st.integers(0, 9),
    st.integers(0, 1000),
)
def test_no_way_to_divide_the_tokens_costs_more_than_the_dearest(
    usage: Usage, price: Price, images: int, more: int
) -> None:
    """What the hold under a budget rests upon; parts may contradict their sums."""
    bound = Usage(usage.input_tokens + more, usage.output_tokens + more)
    most = cost_pico_usd(bound, dearest(price, bound.input_tokens), images)
    assert 0 <= cost_pico_usd(usage, price, images) <= most


def test_the_highest_price_is_above_every_model_of_the_provider() -> None:
    cheap = a.provider().models[0]
    dear = cheap.model_copy(update={"name": "big", "price": FULL})
    both = a.provider(models=(cheap, dear))
    assert highest(both) == dearest(FULL)
    assert highest(a.provider(price=None)) is None
