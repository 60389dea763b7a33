"""Weighted: each candidate comes first in proportion to its weight."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from penstock_sidecar.model import Candidate
from penstock_sidecar.routing.asked import Asked


@dataclass(frozen=True, slots=True)
class Weighted:
    """Scores are weights."""

    random: Random

    def ranked(self, candidates: Sequence[Candidate], asked: Asked) -> Sequence[Candidate]:  # noqa: ARG002  # a `Strategy`'s
        return sorted(candidates, key=self._draw) if len(candidates) > 1 else candidates

    def score(self, candidate: Candidate, asked: Asked) -> float:  # noqa: ARG002  # a `Strategy`'s
        return float(candidate.weight)

    def _draw(self, candidate: Candidate) -> float:
        """Sorted, these are a weighted random permutation (Efraimidis and Spirakis, 2006)."""
        return self.random.expovariate(candidate.weight) if candidate.weight else math.inf
