"""What an answer will probably cost: a guess to choose by, where budgets hold the worst case."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from penstock_config.classification import Complexity
from penstock_config.provider import Price
from penstock_sidecar.metering.cost import cost_pico_usd, micro_usd
from penstock_sidecar.metering.estimate import PriceUnknown, price_of
from penstock_sidecar.model import Candidate, Request, Usage
from penstock_sidecar.routing.asked import Asked

OUTPUT_TOKENS: Final[Mapping[Complexity, int]] = {
    "simple": 150,
    "medium": 500,
    "complex": 1_000,
    "expert": 2_000,
}
"""How long answers are: guesses. All candidates are compared by the same."""


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
        label = candidate.label
        if label not in self._rates:
            self._rates[label] = _rate(candidate)
        rate = self._rates[label]
        if rate is None:
            return None
        request, tokens = asked.request, asked.input_tokens
        output = output_tokens(request, rate.max_output_tokens, asked.complexity)
        if rate.steps:
            return micro_usd(cost_pico_usd(Usage(tokens, output), rate.steps, request.images))
        pico = tokens * rate.input_token + output * rate.output_token + rate.request
        return micro_usd(pico + request.images * rate.image)


def output_tokens(request: Request, most: int | None, complexity: Complexity) -> int:
    """Of all answers together, probably."""
    if request.embeds:
        return 0
    tokens = OUTPUT_TOKENS[complexity]
    asked = request.max_output_tokens
    if asked is not None and asked < tokens:
        tokens = asked
    if most is not None and most < tokens:
        tokens = most
    return tokens * request.choices


def _rate(candidate: Candidate) -> Rate | None:
    try:
        price = price_of(candidate.provider, candidate.model)
    except PriceUnknown:
        return None
    steps = price if price.long_context else None
    most = candidate.model.max_output_tokens
    return Rate(price.input_token, price.output_token, price.image, price.request, most, steps)
