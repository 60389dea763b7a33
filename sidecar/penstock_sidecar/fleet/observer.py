"""What telemetry hears of fleets. Labels are of the configuration; kinds are a closed list."""

from typing import Literal, Protocol

Kind = Literal["loaded", "unloaded", "started", "service"]
"""Of a replica that answers: it has the model in memory, has yet to load it, was waited for until
it was there, or is whichever the Service gives."""


class FleetObserver(Protocol):
    """Hears of each change, and of each request once."""

    def replicas_ready(self, provider: str, count: int) -> None: ...

    def fleet_started(self, provider: str) -> None:
        """A request has found nobody there, and waits."""

    def replica_taken(self, provider: str, kind: Kind, waited_seconds: float) -> None: ...


class Unobserved:
    """A `FleetObserver` that has no ears."""

    def replicas_ready(self, provider: str, count: int) -> None:
        """Nobody asked."""

    def fleet_started(self, provider: str) -> None:
        """Nobody asked."""

    def replica_taken(self, provider: str, kind: Kind, waited_seconds: float) -> None:
        """Nobody asked."""
