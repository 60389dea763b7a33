"""From tokens to money: integers all the way, rounded once, up."""

from functools import lru_cache

from penstock_config.provider import LongContext, Price, Provider
from penstock_sidecar.model import Usage

PICO_PER_MICRO = 1_000_000
MICRO_PER_USD = 1_000_000
MAX_PRICES = 4_096
"""Remembered; those of all models that a sidecar may reach are fewer."""


def cost_pico_usd(usage: Usage, price: Price, images: int) -> int:
    """What an answer cost. Every token is counted once, in its own class where that has a price."""
    price = _step(price, usage.input_tokens)
    cached = min(usage.cached_input_tokens, usage.input_tokens)
    written = min(usage.cache_write_tokens, usage.input_tokens - cached)
    for_an_hour = min(usage.cache_write_1h_tokens, written)
    reasoning = min(usage.reasoning_tokens, usage.output_tokens)
    return (
        (usage.input_tokens - cached - written) * price.input_token
        + cached * _or(price.cached_input_token, price.input_token)
        + (written - for_an_hour) * _write(price)
        + for_an_hour * _or(price.cache_write_1h_token, _write(price))
        + (usage.output_tokens - reasoning) * price.output_token
        + reasoning * _or(price.reasoning_token, price.output_token)
        + images * price.image
        + price.request
    )


def micro_usd(pico_usd: int) -> int:
    """Rounded up: never less than was spent."""
    return -(-pico_usd // PICO_PER_MICRO)


def usd(micro: int) -> str:
    """Micro-dollars as a decimal string of dollars, all six places: `1500` is `0.001500`."""
    return f"{micro // MICRO_PER_USD}.{micro % MICRO_PER_USD:06d}"


def dearest(price: Price, most_input_tokens: int | None = None) -> Price:
    """One price per direction: the highest that a token of it can cost. The price of long contexts
    counts where a request may have as many tokens; `None` is any number."""
    steps = 1
    step = price
    while (long := step.long_context) and _reaches(most_input_tokens, long):
        step, steps = long.price, steps + 1
    return _dearest(price, steps)


@lru_cache(maxsize=MAX_PRICES)
def _dearest(price: Price, first: int) -> Price:
    """Of its first steps."""
    steps = [price]
    while len(steps) < first and (long := steps[-1].long_context):
        steps.append(long.price)
    return Price(
        input_token=max(map(_dearest_input, steps)),
        output_token=max(max(step.output_token, step.reasoning_token or 0) for step in steps),
        image=max(step.image for step in steps),
        request=max(step.request for step in steps),
    )


def highest(provider: Provider) -> Price | None:
    """Above every price of the provider; `None` where it has none."""
    known = [dearest(model.price) for model in provider.models if model.price]
    if not known:
        return None
    return Price(
        input_token=max(price.input_token for price in known),
        output_token=max(price.output_token for price in known),
        image=max(price.image for price in known),
        request=max(price.request for price in known),
    )


def _step(price: Price, input_tokens: int) -> Price:
    """The price that a request of so much input has."""
    while (long := price.long_context) and _reaches(input_tokens, long):
        price = long.price
    return price


def _reaches(input_tokens: int | None, long: LongContext) -> bool:
    return input_tokens is None or input_tokens > long.above_input_tokens


def _dearest_input(price: Price) -> int:
    parts = (price.cached_input_token, price.cache_write_token, price.cache_write_1h_token)
    return max(price.input_token, *(part or 0 for part in parts))


def _write(price: Price) -> int:
    return _or(price.cache_write_token, price.input_token)


def _or(price: int | None, parent: int) -> int:
    return parent if price is None else price
