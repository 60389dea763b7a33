"""MostHeadroom: whoever has the largest share left of the limit that is tightest for him.

So all free quotas shrink in step: none is used up while another is hardly touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from penstock_sidecar.model import Candidate
from penstock_sidecar.routing.asked import Asked
from penstock_sidecar.routing.room import Room


@dataclass(frozen=True, slots=True)
class MostHeadroom:
    """Equal shares come in random order. Scores are shares, 0 to 1."""

    room: Room
    random: Random

    def ranked(self, candidates: Sequence[Candidate], asked: Asked) -> Sequence[Candidate]:  # noqa: ARG002  # a `Strategy`'s
        if len(candidates) == 1:
            return candidates
        drawn = self.random.sample(candidates, len(candidates))
        return sorted(drawn, key=self.room.share_left, reverse=True)

    def score(self, candidate: Candidate, asked: Asked) -> float:  # noqa: ARG002  # a `Strategy`'s
        return self.room.share_left(candidate)
