"""What the cache found by meaning, in numbers."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter

HIGH: Final = 0.95
MEDIUM: Final = 0.85


class SemanticMeters:
    """Bands of similarity are those that dashboards of `semantic_cache_hits_total` know."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lookups = Counter(
            "penstock_cache_semantic_lookups",
            "Lookups by meaning, by what became of them",
            ("policy", "result"),
            registry=registry,
        )
        self._hits = Counter(
            "penstock_cache_semantic_hits",
            "Answers found by meaning; those of shadow, or to be verified, were not given",
            ("policy", "similarity_range", "shadow"),
            registry=registry,
        )
        self._verdicts = Counter(
            "penstock_cache_shadow_verdicts",
            "Answers found in shadow, by whether they would have done: same, other, unsure",
            ("policy", "verdict"),
            registry=registry,
        )

    def looked_up(self, policy: str, found: str, similarity: float | None) -> None:
        self._lookups.labels(policy, found).inc()
        if similarity is not None:
            shadow = str(found != "hit").lower()
            self._hits.labels(policy, similarity_range(similarity), shadow).inc()

    def judged(self, policy: str, verdict: str) -> None:
        self._verdicts.labels(policy, verdict).inc()


def similarity_range(similarity: float) -> str:
    if similarity > HIGH:
        return "high"
    return "medium" if similarity > MEDIUM else "low"
