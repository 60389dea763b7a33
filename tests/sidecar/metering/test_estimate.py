"""Guesses for rates, bounds for money."""

from typing import Literal

import pytest

from penstock_config.provider import LongContext, Price
from penstock_sidecar.metering.estimate import (
    HIDDEN_TOKENS,
    IMAGE_TOKENS,
    MAX_IMAGE_TOKENS,
    TOOLS_TOKENS,
    Input,
    PriceUnknown,
    Quote,
    estimate_input,
    output_cap,
    price_of,
    seen_usage,
)
from penstock_sidecar.model import Api, Usage
from tests.sidecar.metering import given as a


def test_a_third_of_the_bytes_is_the_guess_and_all_are_the_bound() -> None:
    assert estimate_input(a.request(100)) == Input(34, 100, 0, 100, text_only=True)


def test_what_providers_add_is_within_the_bound() -> None:
    """What they tell a model about tools, and what a template says: billed, and sent by nobody."""
    tools = estimate_input(a.request(100, tools=True))
    assert (tools.tokens, tools.most_tokens) == (34, 100 + TOOLS_TOKENS)


@pytest.mark.parametrize("api", ["ollama-generate", "openai-responses"])
def test_a_template_outweighs_a_request_that_is_a_text_alone(api: Api) -> None:
    plain = estimate_input(a.request(100, api=api))
    assert (plain.tokens, plain.most_tokens) == (34, 100 + HIDDEN_TOKENS)


def test_pictures_count_by_number_and_not_by_their_bytes() -> None:
    size = 100
    given = estimate_input(a.request(8100, images=1, inline_bytes=8000))
    assert given.tokens == -(-size // 3) + IMAGE_TOKENS
    assert given.most_tokens == size + MAX_IMAGE_TOKENS


@pytest.mark.parametrize(
    ("asked", "most", "cap"), [(10, 20, 10), (30, 20, 20), (None, 20, 20), (None, None, None)]
)
def test_an_answer_is_no_longer_than_anybody_allows(
    asked: int | None, most: int | None, cap: int | None
) -> None:
    model = a.provider(max_output_tokens=most).models[0]
    assert output_cap(a.request(max_output_tokens=asked), model) == cap


def test_the_worst_case_counts_every_choice() -> None:
    quote = Quote.of(a.PRICE, Input(10, 30, 0), choices=3, output_tokens=1000)
    assert quote.most_micro_usd == 30 + 3 * 1000 * 2
    assert quote.least_micro_usd == 30 + 3 * 256 * 2


def test_a_long_context_is_bounded_by_its_price_only_where_the_input_can_be_as_long() -> None:
    step = LongContext(above_input_tokens=100, price=Price(input_token=4, output_token=9))
    price = Price(input_token=2, output_token=8, long_context=step)
    assert Quote.of(price, Input(10, 100, 0), 1, 10).price == Price(input_token=2, output_token=8)
    assert Quote.of(price, Input(10, 101, 0), 1, 10).price == step.price


@pytest.mark.parametrize(
    ("granted", "tokens"), [(6030, 1000), (6029, 999), (30 + 600 * 2, 200), (30, 0)]
)
def test_what_is_affordable_never_costs_more_than_was_granted(granted: int, tokens: int) -> None:
    quote = Quote.of(a.PRICE, Input(10, 30, 0), choices=3, output_tokens=1000)
    assert quote.affordable_output_tokens(granted) == tokens


def test_what_was_seen_counts_a_tenth_more() -> None:
    assert seen_usage(7, 10) == Usage(7, 11)
    assert seen_usage(7, 1) == Usage(7, 2)
    assert seen_usage(7, 0) == Usage(7, 0)


@pytest.mark.parametrize("rule", ["Deny", "UseHighest"])
def test_an_unknown_price_is_no_price(rule: Literal["Deny", "UseHighest"]) -> None:
    cloud = a.provider(price=None, on_unknown_price=rule)
    with pytest.raises(PriceUnknown, match="shop/cloud/small has no price"):
        price_of(cloud, cloud.models[0])


def test_an_unknown_price_can_be_free_or_the_highest() -> None:
    free = a.provider(price=None, on_unknown_price="Free")
    assert price_of(free, free.models[0]) == Price(input_token=0, output_token=0)
    known = free.models[0].model_copy(update={"name": "big", "price": a.PRICE})
    highest = a.provider(models=(free.models[0], known), on_unknown_price="UseHighest")
    assert price_of(highest, highest.models[0]) == a.PRICE
