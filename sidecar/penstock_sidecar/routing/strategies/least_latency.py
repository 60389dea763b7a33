"""LeastLatency: the better of two by time to first content, times requests under way."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from penstock_sidecar.model import Candidate
from penstock_sidecar.routing.asked import Asked
from penstock_sidecar.routing.busy import UnderWay
from penstock_sidecar.routing.latencies import Waits
from penstock_sidecar.routing.strategies.choice import two_choices


@dataclass(frozen=True, slots=True)
class LeastLatency:
    """One that nobody knows is tried soon. Scores are milliseconds to the first content."""

    latencies: Waits
    busy: UnderWay
    random: Random

    def ranked(self, candidates: Sequence[Candidate], asked: Asked) -> Sequence[Candidate]:
        stream = asked.request.stream

        def load(candidate: Candidate) -> float:
            ms = self.latencies.ms(candidate, stream=stream) or 0.0
            return ms * (self.busy.in_flight(candidate) + 1)

        return two_choices(candidates, load, self.random)

    def score(self, candidate: Candidate, asked: Asked) -> float | None:
        return self.latencies.ms(candidate, stream=asked.request.stream)
