"""What became of requests that asked the same at the same time, in numbers."""

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import Counter

from penstock_sidecar.model import Outcome


class FlightMeters:
    """Who leads from the start is a miss like any other, and not counted again."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._flights = Counter(
            "penstock_cache_flights",
            "Requests that asked what another one was asking: followed, took-over, alone",
            ("policy", "result"),
            registry=registry,
        )

    def count(self, outcome: Outcome) -> None:
        if outcome.flight and outcome.flight != "led":
            self._flights.labels(outcome.policy, outcome.flight).inc()
