"""Replicas in numbers."""

from prometheus_client import CollectorRegistry

from penstock_sidecar.telemetry.fleets import FleetMeters

OLLAMA = {"provider": "team/ollama"}


def test_replicas_starts_and_waits_are_counted_by_provider() -> None:
    registry = CollectorRegistry()
    meters = FleetMeters(registry)
    meters.ready("team/ollama", 2)
    meters.ready("team/ollama", 1)
    meters.started("team/ollama")
    meters.taken("team/ollama", "loaded", 0.0)
    meters.taken("team/ollama", "started", 12.0)
    value = registry.get_sample_value
    assert value("penstock_fleet_replicas_ready", OLLAMA) == 1
    assert value("penstock_fleet_cold_starts_total", OLLAMA) == 1
    assert value("penstock_fleet_requests_total", {**OLLAMA, "replica": "started"}) == 1
    assert value("penstock_fleet_wait_seconds_count", OLLAMA) == 2
    assert value("penstock_fleet_wait_seconds_sum", OLLAMA) == 12
