"""MostHeadroom: who would have the largest share left, of the limit that is tightest for him, after
this request.

So all free quotas shrink in step: none is used up while another is hardly touched, and what takes
much of a small one goes to a large one.
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

    def ranked(self, candidates: Sequence[Candidate], asked: Asked) -> Sequence[Candidate]:
        if len(candidates) == 1:
            return candidates
        drawn = self.random.sample(candidates, len(candidates))
        shares = [(self.score(each, asked), place) for place, each in enumerate(drawn)]
        shares.sort(reverse=True)
        return [drawn[place] for _, place in shares]

    def score(self, candidate: Candidate, asked: Asked) -> float:
        answer = asked.output_tokens(candidate.model.max_output_tokens)
        return self.room.share_left(candidate, asked.input_tokens + answer)
