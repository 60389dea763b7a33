"""What this process has seen of candidates, over all its configurations."""

from dataclasses import dataclass
from typing import Self

from penstock_sidecar.clock import Clock
from penstock_sidecar.routing.busy import Busy
from penstock_sidecar.routing.latencies import Latencies
from penstock_sidecar.routing.scores import Learning, Scores


@dataclass(frozen=True, slots=True)
class Seen:
    """Made once per process."""

    clock: Clock
    busy: Busy
    latencies: Latencies
    scores: Scores

    @classmethod
    def nothing(cls, clock: Clock, learning: Learning | None = None) -> Self:
        """To begin with."""
        return cls(clock, Busy(), Latencies(clock), Scores(clock, learning))
