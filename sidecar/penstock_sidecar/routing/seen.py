"""What this process has seen of candidates, over all its configurations."""

from dataclasses import dataclass, field

from penstock_sidecar.clock import Clock
from penstock_sidecar.routing.busy import Busy
from penstock_sidecar.routing.latencies import Latencies


@dataclass(frozen=True, slots=True)
class Seen:
    """Made once per process."""

    clock: Clock
    busy: Busy = field(default_factory=Busy)
    latencies: Latencies = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "latencies", Latencies(self.clock))
