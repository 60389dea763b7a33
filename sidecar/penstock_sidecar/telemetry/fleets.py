"""Replicas of the providers that the operator runs, in numbers."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from penstock_sidecar.fleet.observer import Kind

WAIT_SECONDS: Final = (0.001, 0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0)


class FleetMeters:
    """Labels are providers of the configuration, and a closed list of kinds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ready = Gauge(
            "penstock_fleet_replicas_ready",
            "Replicas of a managed provider that are ready, as this sidecar last heard",
            ("provider",),
            registry=registry,
        )
        self._starts = Counter(
            "penstock_fleet_cold_starts",
            "How often a request found no replica of a managed provider, and had it started",
            ("provider",),
            registry=registry,
        )
        self._requests = Counter(
            "penstock_fleet_requests",
            "Attempts at replicas: model loaded, unloaded, started for it, or by the Service",
            ("provider", "replica"),
            registry=registry,
        )
        self._waits = Histogram(
            "penstock_fleet_wait_seconds",
            "How long attempts waited for a replica that is there and has room",
            ("provider",),
            buckets=WAIT_SECONDS,
            registry=registry,
        )

    def ready(self, provider: str, count: int) -> None:
        self._ready.labels(provider).set(count)

    def started(self, provider: str) -> None:
        self._starts.labels(provider).inc()

    def taken(self, provider: str, kind: Kind, waited_seconds: float) -> None:
        self._requests.labels(provider, kind).inc()
        self._waits.labels(provider).observe(waited_seconds)
