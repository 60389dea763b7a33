"""What an answer will probably cost: a guess to choose by, where budgets hold the worst case."""

from dataclasses import dataclass, field
from typing import NamedTuple

from penstock_config.provider import Price
from penstock_sidecar.metering.cost import cost_pico_usd, micro_usd
from penstock_sidecar.metering.estimate import PriceUnknown, price_of
from penstock_sidecar.model import Candidate, Usage
from penstock_sidecar.routing.asked import Asked


class Rate(NamedTuple):
    """A price without steps, in pico-USD, and the longest answer of its model."""

    input_token: int
    output_token: int
    image: int
    request: int
    max_output_tokens: int | None
    steps: Price | None
    """The whole price, where long contexts have another."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """Prices are looked up once for each candidate."""

    _rates: dict[str, Rate | None] = field(default_factory=dict)

    def micro_usd(self, candidate: Candidate, asked: Asked) -> int | None:
        """`None` where the price is unknown, which is not free."""
        try:
            rate = self._rates[candidate.label]
        except KeyError:
            rate = self._rates[candidate.label] = _rate(candidate)
        if rate is None:
            return None
        input_token, output_token, image, request, most, steps = rate
        tokens, output, images = asked.input_tokens, asked.output_tokens(most), asked.request.images
        if steps:
            return micro_usd(cost_pico_usd(Usage(tokens, output), steps, images))
        return micro_usd(tokens * input_token + output * output_token + images * image + request)


def _rate(candidate: Candidate) -> Rate | None:
    try:
        price = price_of(candidate.provider, candidate.model)
    except PriceUnknown:
        return None
    steps = price if price.long_context else None
    most = candidate.model.max_output_tokens
    return Rate(price.input_token, price.output_token, price.image, price.request, most, steps)
