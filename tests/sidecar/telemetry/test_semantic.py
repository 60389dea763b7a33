import pytest
from prometheus_client import CollectorRegistry

from penstock_sidecar.telemetry.semantic import SemanticMeters, similarity_range


@pytest.mark.parametrize(
    ("similarity", "band"),
    [
        (1.0, "high"),
        (0.951, "high"),
        (0.95, "medium"),
        (0.851, "medium"),
        (0.85, "low"),
        (0, "low"),
    ],
)
def test_bands_are_open_at_their_lower_end(similarity: float, band: str) -> None:
    assert similarity_range(similarity) == band


def test_shadow_is_told_from_hits() -> None:
    registry = CollectorRegistry()
    meters = SemanticMeters(registry)
    meters.looked_up("team/shop", "hit", 0.97)
    meters.looked_up("team/shop", "shadow", 0.9)
    meters.looked_up("team/shop", "late", None)
    meters.judged("team/shop", "other")

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, {"policy": "team/shop", **labels})

    hits = "penstock_cache_semantic_hits_total"
    assert value(hits, similarity_range="high", shadow="false") == 1
    assert value(hits, similarity_range="medium", shadow="true") == 1
    assert value("penstock_cache_semantic_lookups_total", result="late") == 1
    assert value("penstock_cache_shadow_verdicts_total", verdict="other") == 1
