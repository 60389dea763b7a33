"""From tokens to money: integers all the way, rounded once, up."""

from penstock_config.provider import Price, Provider
from penstock_sidecar.model import Usage

PICO_PER_MICRO = 1_000_000
MICRO_PER_USD = 1_000_000


def cost_pico_usd(usage: Usage, price: Price, images: int) -> int:
    """What an answer cost. Every token is counted once, in its own class where that has a price."""
    cached = min(usage.cached_input_tokens, usage.input_tokens)
    written = min(usage.cache_write_tokens, usage.input_tokens - cached)
    reasoning = min(usage.reasoning_tokens, usage.output_tokens)
    return (
        (usage.input_tokens - cached - written) * price.input_token
        + cached * _or(price.cached_input_token, price.input_token)
        + written * _or(price.cache_write_token, price.input_token)
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


def dearest(price: Price) -> Price:
    """One price per direction: the highest that a token of it can cost."""
    input_token = max(
        price.input_token, price.cached_input_token or 0, price.cache_write_token or 0
    )
    output_token = max(price.output_token, price.reasoning_token or 0)
    return Price(
        input_token=input_token,
        output_token=output_token,
        image=price.image,
        request=price.request,
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


def _or(price: int | None, parent: int) -> int:
    return parent if price is None else price
