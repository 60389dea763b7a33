"""LeastCost: the cheapest for this request, by estimate."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from penstock_sidecar.model import Candidate
from penstock_sidecar.routing.asked import Asked
from penstock_sidecar.routing.estimates import Estimates


@dataclass(frozen=True, slots=True)
class LeastCost:
    """Equally cheap ones come in random order; without a price is last. Scores are micro-USD."""

    estimates: Estimates
    random: Random

    def ranked(self, candidates: Sequence[Candidate], asked: Asked) -> Sequence[Candidate]:
        if len(candidates) == 1:
            return candidates

        def cost(candidate: Candidate) -> tuple[float, float]:
            micro_usd = self.estimates.micro_usd(candidate, asked)
            return math.inf if micro_usd is None else micro_usd, self.random.random()

        return sorted(candidates, key=cost)

    def score(self, candidate: Candidate, asked: Asked) -> float | None:
        return self.estimates.micro_usd(candidate, asked)
