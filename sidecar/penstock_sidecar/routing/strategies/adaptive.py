"""Adaptive: quality, success, latency and cost in one score, and what outcomes have taught.

    weight * success * (q * quality + l * speed + c * thrift)

`weight` is what bad signs have left (`scores`), `success` the share of attempts that served.
`quality` is the platform team's figure, `speed` falls with the wait for first content (the loading
of a model is part of it), `thrift` is the cheapest candidate's cost over this one's. q, l and c
depend on how hard the request is: hard ones go to good models, easy ones to quick and cheap ones. A
few requests go to somebody else than the best, so that who was bad once can show that he is good
again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

from penstock_config.classification import Complexity
from penstock_sidecar.fleet import Fleets
from penstock_sidecar.model import Candidate
from penstock_sidecar.routing.asked import Asked
from penstock_sidecar.routing.estimates import Estimates
from penstock_sidecar.routing.scores import Scores, Tally


class Shares(NamedTuple):
    """What counts how much; together 1."""

    quality: float
    speed: float
    thrift: float


SHARES: Final[Mapping[Complexity, Shares]] = {
    "simple": Shares(0.40, 0.25, 0.35),
    "medium": Shares(0.55, 0.20, 0.25),
    "complex": Shares(0.75, 0.10, 0.15),
    "expert": Shares(0.90, 0.05, 0.05),
}
UNKNOWN_QUALITY: Final = 50
TENTHS: Final = 100
MIDDLING_MS: Final = 2_000.0
"""A wait of so long is half as good as none."""
SMALL_MICRO_USD: Final = 100
"""Differences below a hundredth of a cent hardly matter."""
TRUST: Final = 2.0
"""So many attempts that served are everybody's to begin with."""


@dataclass(frozen=True, slots=True)
class Adaptive:
    """Scores are 0 to 1."""

    scores: Scores
    estimates: Estimates
    random: Random
    fleets: Fleets | None = None

    def ranked(self, candidates: Sequence[Candidate], asked: Asked) -> Sequence[Candidate]:
        if len(candidates) == 1:
            return candidates
        costs = [self.estimates.micro_usd(candidate, asked) for candidate in candidates]
        tallies = self.scores.tallies([candidate.label for candidate in candidates], asked.task)
        cheapest, shares, random = _cheapest(costs), SHARES[asked.complexity], self.random.random
        scored = [
            (self._score(candidate, tally, shares, _thrift(cost, cheapest)), random(), place)
            for place, (candidate, tally, cost) in enumerate(
                zip(candidates, tallies, costs, strict=True)
            )
        ]
        scored.sort(reverse=True)
        ranked = [candidates[place] for _, _, place in scored]
        if self.random.random() < self.scores.learning.exploration:
            ranked.insert(0, ranked.pop(self.random.randrange(1, len(ranked))))
        return ranked

    def score(self, candidate: Candidate, asked: Asked) -> float:
        """As if it were the cheapest."""
        tally = self.scores.tally(candidate.label, asked.task)
        return self._score(candidate, tally, SHARES[asked.complexity], 1.0)

    def _score(self, candidate: Candidate, tally: Tally, shares: Shares, thrift: float) -> float:
        merits = (
            shares.quality * _quality(candidate)
            + shares.speed / (1 + self._wait_ms(candidate, tally) / MIDDLING_MS)
            + shares.thrift * thrift
        )
        success = (tally.served + TRUST) / (tally.asked + TRUST)
        return float(self.scores.learning.factor**tally.signs) * success * merits

    def _wait_ms(self, candidate: Candidate, tally: Tally) -> float:
        ms = _wait_ms(candidate, tally)
        return ms + self.fleets.load_seconds(candidate) * 1000 if self.fleets else ms


def _quality(candidate: Candidate) -> float:
    quality = candidate.model.quality
    return (UNKNOWN_QUALITY if quality is None else quality) / TENTHS


def _wait_ms(candidate: Candidate, tally: Tally) -> float:
    """As measured, with the expected for one measurement; none where nobody knows, so that it is
    tried."""
    expected = candidate.model.expected_latency_ms
    if expected is not None:
        return (tally.wait_ms + expected) / (tally.waits + 1)
    return tally.wait_ms / tally.waits if tally.waits else 0.0


def _cheapest(costs: Sequence[int | None]) -> int:
    return min((cost for cost in costs if cost is not None), default=0)


def _thrift(cost: int | None, cheapest: int) -> float:
    """0 where the price is unknown."""
    return 0.0 if cost is None else (cheapest + SMALL_MICRO_USD) / (cost + SMALL_MICRO_USD)
