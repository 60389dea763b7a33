"""Metrics for Prometheus; the only module that knows its client. Labels are paths and codes."""

from collections.abc import Callable
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

SECONDS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2)
TEXTS: Final = (1, 2, 4, 8, 16, 32)
CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


class Metrics:
    """One per process. Memory and CPU are `process_*`, as everybody names them."""

    def __init__(self, version: str) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._gauge("penstock_embedder_info", "What runs", labels=("version",)).labels(version).set(
            1
        )
        self._requests = Counter(
            "penstock_embedder_requests",
            "Requests, by path and what came of them",
            ("path", "outcome"),
            registry=self._registry,
        )
        self._shed = Counter(
            "penstock_embedder_shed",
            "Requests refused because too many were waiting, or because they would come too late",
            ("reason",),
            registry=self._registry,
        )
        for reason in ("overloaded", "too_late"):
            self._shed.labels(reason)
        self._request_seconds = self._histogram(
            "request_seconds", "From a request to its answer", SECONDS, ("path",)
        )
        self._batch = self._histogram("batch_texts", "Texts embedded together", TEXTS)
        self._embed = self._histogram("embed_seconds", "Of one batch in the model", SECONDS)
        self._search = self._histogram("search_seconds", "Of one search", SECONDS)

    def answered(self, path: str, outcome: str, seconds: float) -> None:
        """`outcome` is `ok` or a refusal's code."""
        self._requests.labels(path, outcome).inc()
        self._request_seconds.labels(path).observe(seconds)
        if outcome in {"overloaded", "too_late"}:
            self._shed.labels(outcome).inc()

    def embedded(self, texts: int, seconds: float) -> None:
        self._batch.observe(texts)
        self._embed.observe(seconds)

    def searched(self, seconds: float) -> None:
        self._search.observe(seconds)

    def watch(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A gauge that is read when somebody looks."""
        self._gauge(f"penstock_embedder_{name}", text).set_function(read)

    def exposition(self) -> bytes:
        return generate_latest(self._registry)

    def _gauge(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(name, text, labels, registry=self._registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], labels: tuple[str, ...] = ()
    ) -> Histogram:
        return Histogram(
            f"penstock_embedder_{name}", text, labels, buckets=buckets, registry=self._registry
        )
