"""LeastBusy: the better of two by how many requests this sidecar has under way there; where there
are replicas, at the one that would answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from penstock_sidecar.model import Candidate
from penstock_sidecar.routing.asked import Asked
from penstock_sidecar.routing.busy import UnderWay
from penstock_sidecar.routing.strategies.choice import two_choices


@dataclass(frozen=True, slots=True)
class LeastBusy:
    """Scores are requests in flight."""

    busy: UnderWay
    random: Random

    def ranked(self, candidates: Sequence[Candidate], asked: Asked) -> Sequence[Candidate]:  # noqa: ARG002  # a `Strategy`'s
        return two_choices(candidates, self.busy.in_flight, self.random)

    def score(self, candidate: Candidate, asked: Asked) -> float:  # noqa: ARG002  # a `Strategy`'s
        return self.busy.in_flight(candidate)
