"""RoundRobin: whoever was first the longest ago is first now."""

from collections.abc import Sequence
from random import Random

from penstock_sidecar.model import Candidate
from penstock_sidecar.routing.asked import Asked


class RoundRobin:
    """Of one sidecar; each begins somewhere else. Weights but 0 do not matter. Scores are turns:
    the lowest is next."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._turn = 0
        self._turns: dict[str, float] = {}
        """By label; below 0 for who has not been first yet."""

    def ranked(self, candidates: Sequence[Candidate], asked: Asked) -> Sequence[Candidate]:  # noqa: ARG002  # a `Strategy`'s
        ranked = sorted(candidates, key=self._last)
        self._turn += 1
        self._turns[ranked[0].label] = self._turn
        return ranked

    def score(self, candidate: Candidate, asked: Asked) -> float:  # noqa: ARG002  # a `Strategy`'s
        return self._last(candidate)

    def _last(self, candidate: Candidate) -> float:
        label = candidate.label
        if label not in self._turns:
            self._turns[label] = -self._random.random()
        return self._turns[label]
