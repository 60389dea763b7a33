"""What an answer will probably cost: a guess to choose by, where budgets hold the worst case."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from penstock_config.classification import Complexity
from penstock_config.provider import Price
from penstock_sidecar.metering.cost import cost_pico_usd, micro_usd
from penstock_sidecar.metering.estimate import PriceUnknown, output_cap, price_of
from penstock_sidecar.model import Candidate, Usage
from penstock_sidecar.routing.asked import Asked

OUTPUT_TOKENS: Final[Mapping[Complexity, int]] = {
    "simple": 150,
    "medium": 500,
    "complex": 1_000,
    "expert": 2_000,
}
"""How long answers are: guesses. All candidates are compared by the same."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """Prices are looked up once for each candidate."""

    _prices: dict[str, Price | None] = field(default_factory=dict)

    def micro_usd(self, candidate: Candidate, asked: Asked) -> int | None:
        """`None` where the price is unknown, which is not free."""
        price = self._price(candidate)
        if price is None:
            return None
        request = asked.request
        usage = Usage(asked.input_tokens, output_tokens(candidate, asked) * request.choices)
        return micro_usd(cost_pico_usd(usage, price, request.images))

    def _price(self, candidate: Candidate) -> Price | None:
        label = candidate.label
        if label not in self._prices:
            try:
                self._prices[label] = price_of(candidate.provider, candidate.model)
            except PriceUnknown:
                self._prices[label] = None
        return self._prices[label]


def output_tokens(candidate: Candidate, asked: Asked) -> int:
    """Of one answer, probably."""
    cap = output_cap(asked.request, candidate.model)
    guess = OUTPUT_TOKENS[asked.complexity]
    return guess if cap is None else min(guess, cap)
