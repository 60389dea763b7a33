"""How fast sidecars notice what becomes of each other's flights."""

from dataclasses import dataclass
from typing import Final

MILLISECONDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Times:
    """In seconds. Three beats in a row may get lost; who dies is replaced within a second."""

    lease: float = 0.8
    """A leader without a beat for so long is dead."""
    beat: float = 0.2
    first_look: float = 0.05
    longest_look: float = 0.25
    """Between two looks at another sidecar's flight; they grow from the first by half."""
    next_leader: float = 1.0
    """What was learnt of a flight's leaders is forgotten where no other follows."""
    alone_factor: float = 10
    """What a flight that kept nothing has lasted, times this, is how long everybody goes alone
    then: of a request that is never kept, one in ten waits for nothing."""
    least_alone: float = 1.0
    most_alone: float = 60.0
    renewed: float = 10.0
    """After a renewal nobody renews again for so long, at least: other sidecars believe what they
    remember for five seconds."""

    def alone(self, lasted: float) -> float:
        return min(max(self.alone_factor * lasted, self.least_alone), self.most_alone)


AS_SHIPPED: Final = Times()
