"""How many requests of this process each candidate has under way."""

from dataclasses import dataclass, field
from typing import Protocol

from penstock_sidecar.model import Candidate


class UnderWay(Protocol):
    """What choosing asks."""

    def in_flight(self, candidate: Candidate) -> int: ...


@dataclass(frozen=True, slots=True)
class Busy:
    """Over all configurations: a request in flight is one, whichever sent it."""

    _in_flight: dict[str, int] = field(default_factory=dict)

    def in_flight(self, candidate: Candidate) -> int:
        return self._in_flight.get(candidate.label, 0)

    def began(self, candidate: Candidate) -> None:
        self._in_flight[candidate.label] = self.in_flight(candidate) + 1

    def ended(self, candidate: Candidate) -> None:
        left = self.in_flight(candidate) - 1
        if left > 0:
            self._in_flight[candidate.label] = left
        else:
            self._in_flight.pop(candidate.label, None)
