"""The seam between a router and a strategy."""

from collections.abc import Sequence
from typing import Protocol

from penstock_sidecar.model import Candidate
from penstock_sidecar.routing.asked import Asked


class Strategy(Protocol):
    """Made once per tier and configuration."""

    def ranked(self, candidates: Sequence[Candidate], asked: Asked) -> Sequence[Candidate]:
        """All of them, best first: one group, of equal tier and priority."""

    def score(self, candidate: Candidate, asked: Asked) -> float | None:
        """What it goes by, for people: see each strategy; `None` where that is unknown."""
