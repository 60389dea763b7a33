"""The recorder that feeds Prometheus.

One request touches about ten time series; they are looked up once per combination of labels and
kept together, which is several times cheaper than `labels()` per request. Every label's values come
from the configuration or from closed vocabularies; should that fail, a bound holds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics import Counter, Histogram

from penstock_config.classification import Task
from penstock_sidecar.fleet.observer import Kind
from penstock_sidecar.health.breaker import Phase
from penstock_sidecar.metering.cost import MICRO_PER_USD
from penstock_sidecar.model import EMBEDDING_APIS, Api, CacheResult, Outcome
from penstock_sidecar.telemetry.compression import CompressionMeters
from penstock_sidecar.telemetry.ensembles import EnsembleMeters
from penstock_sidecar.telemetry.fleets import FleetMeters
from penstock_sidecar.telemetry.flights import FlightMeters
from penstock_sidecar.telemetry.semantic import SemanticMeters
from penstock_sidecar.telemetry.series import Series

MAX_COMBINATIONS: Final = 2000
"""Of label values; later ones are counted as `other`."""
OTHER: Final = "other"
OPERATIONS: Final[Mapping[Api, str]] = {
    "openai-completions": "text_completion",
    "ollama-generate": "text_completion",
    "openai-embeddings": "embeddings",
    "ollama-embed": "embeddings",
    "ollama-embeddings": "embeddings",
}
"""OpenTelemetry's names, where it is not `chat`."""
PHASES: Final[Mapping[Phase, int]] = {"closed": 0, "half-open": 1, "open": 2}
DENIALS: Final = frozenset(
    {"policy_rate_limited", "policy_budget_exceeded", "provider_rate_limited"}
)


class _Labels(NamedTuple):
    policy: str
    tier: str
    provider: str
    model: str
    error_type: str
    operation: str


@dataclass(frozen=True, slots=True)
class _Children:
    """The series of one combination of labels, those that every request touches."""

    requests: Counter
    duration: Histogram
    first_chunk: Histogram
    input_tokens: Histogram
    output_tokens: Histogram
    cost: Counter


class Metrics:
    """What the pipeline, the edge, the limits and the watcher report, in numbers."""

    def __init__(self, version: str) -> None:
        self._registry = CollectorRegistry()
        self._series = Series(self._registry)
        self._ensembles = EnsembleMeters(self._registry, self._series.cost)
        self._compression = CompressionMeters(self._registry)
        self._fleets = FleetMeters(self._registry)
        self._flights = FlightMeters(self._registry)
        self._semantic = SemanticMeters(self._registry)
        self._series.build.labels(version).set(1)
        self._children: dict[_Labels, _Children] = {}
        self._hit_counters: dict[tuple[str, CacheResult, str], tuple[Counter, Counter]] = {}
        self._weights: Callable[[], Mapping[tuple[str, Task], float]] = dict
        ProcessCollector(registry=self._registry)

    def request_ended(self, outcome: Outcome) -> None:
        labels = _Labels(
            policy=outcome.policy,
            tier=outcome.tier,
            provider=outcome.provider,
            model=outcome.model,
            error_type=outcome.error_type,
            operation=OPERATIONS.get(outcome.api, "chat"),
        )
        children = self._children.get(labels) or self._bounded(labels)
        children.requests.inc()
        children.duration.observe(outcome.duration_seconds)
        self._series.overhead.observe(outcome.overhead_seconds)
        if outcome.first_content_seconds is not None and outcome.stream:
            children.first_chunk.observe(outcome.first_content_seconds)
        if outcome.usage is not None and not outcome.cache.startswith("hit-"):
            children.input_tokens.observe(outcome.usage.input_tokens)
            if outcome.api not in EMBEDDING_APIS:
                children.output_tokens.observe(outcome.usage.output_tokens)
        if outcome.ensemble:
            self._ensembles.count(outcome.policy, outcome.ensemble)
        elif outcome.cost_micro_usd:
            children.cost.inc(outcome.cost_micro_usd / MICRO_PER_USD)
        if outcome.complexity and not outcome.error_type:
            cost = self._series.request_cost.labels(outcome.model, outcome.complexity)
            cost.observe(outcome.cost_micro_usd / MICRO_PER_USD)
        self._flights.count(outcome)
        self._compression.count(outcome)
        self._count_exceptional(outcome)

    def error_answered(self, error_type: str) -> None:
        self._series.errors.labels(error_type).inc()

    def feedback_given(self, model: str, kind: str) -> None:
        self._series.feedback.labels(model, kind).inc()

    def limit_exceeded(self, name: str, what: str, *, enforced: bool) -> None:
        """`name` is of the configuration; a limit that only counts is not enforced."""
        self._series.exceeded.labels(name, what, str(enforced).lower()).inc()

    def semantic_looked_up(self, policy: str, found: str, similarity: float | None) -> None:
        """`found` is of a closed vocabulary, and so is a verdict."""
        self._semantic.looked_up(policy, found, similarity)

    def semantic_judged(self, policy: str, verdict: str) -> None:
        self._semantic.judged(policy, verdict)

    def subjects_shared(self, policy: str, count: int) -> None:
        """Users or header values beyond `maxSubjects`."""
        self._series.shared.labels(policy).inc(count)

    def breaker_changed(self, provider: str, model: str, endpoint: str, phase: Phase) -> None:
        """Labels are of the configuration; a breaker that never opened has no series."""
        labels = (provider, model, endpoint)
        self._series.breakers.labels(*labels).set(PHASES[phase])
        self._series.transitions.labels(*labels, phase).inc()

    def replicas_ready(self, provider: str, count: int) -> None:
        self._fleets.ready(provider, count)

    def fleet_started(self, provider: str) -> None:
        self._fleets.started(provider)

    def replica_taken(self, provider: str, kind: Kind, waited_seconds: float) -> None:
        self._fleets.taken(provider, kind, waited_seconds)

    def configuration_loaded(self, config_digest: str, credentials_digest: str) -> None:
        self._series.config.clear()
        self._series.config.labels(config_digest, credentials_digest).set(1)

    def configuration_rejected(self) -> None:
        self._series.config_failures.inc()

    def watch_in_flight(self, read: Callable[[], float]) -> None:
        """`read` is called at each scrape."""
        self._series.in_flight.set_function(read)

    def watch_redis(self, available: Callable[[], bool]) -> None:
        """`available` is called at each scrape."""
        self._series.redis.set_function(lambda: float(available()))

    def watch_quality(self, read: Callable[[], Mapping[tuple[str, Task], float]]) -> None:
        """`read` is called at each scrape: weights by the candidate's label and task."""
        self._weights = read

    def exposition(self) -> tuple[bytes, str]:
        """Prometheus text and its content type."""
        for (label, task), weight in self._weights().items():
            self._series.quality.labels(label, task).set(weight)
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def _bounded(self, labels: _Labels) -> _Children:
        if len(self._children) >= MAX_COMBINATIONS:
            labels = _Labels(*[OTHER] * len(_Labels._fields))
        if labels not in self._children:
            self._children[labels] = self._make(labels)
        return self._children[labels]

    def _make(self, labels: _Labels) -> _Children:
        series, operation = self._series, (labels.operation, labels.provider, labels.model)
        outcome = labels.error_type or "ok"
        return _Children(
            requests=series.requests.labels(*labels[:4], outcome),
            duration=series.duration.labels(*operation, labels.error_type),
            first_chunk=series.first_chunk.labels(*operation),
            input_tokens=series.tokens.labels(*operation, "input"),
            output_tokens=series.tokens.labels(*operation, "output"),
            cost=series.cost.labels(labels.policy, labels.provider, labels.model),
        )

    def _hits(self, policy: str, result: CacheResult, model: str) -> tuple[Counter, Counter]:
        """Hits may be all that there is."""
        found = self._hit_counters.get((policy, result, model))
        if found is None:
            hits = self._series.cache_hits.labels(policy, result.removeprefix("hit-"))
            found = hits, self._series.saved.labels(policy, model)
            self._hit_counters[policy, result, model] = found
        return found

    def _count_exceptional(self, outcome: Outcome) -> None:
        """What few requests have: looked up as it comes."""
        series, policy = self._series, outcome.policy
        if outcome.cache.startswith("hit-"):
            hits, saved = self._hits(policy, outcome.cache, outcome.model)
            hits.inc()
            saved.inc(outcome.saved_micro_usd / MICRO_PER_USD)
        elif outcome.cache == "miss":
            series.cache_misses.labels(policy).inc()
        if outcome.error_type in DENIALS:
            series.denials.labels(policy, outcome.error_type).inc()
        if outcome.retries:
            series.retries.labels(policy).inc(outcome.retries)
        if outcome.fallbacks:
            series.fallbacks.labels(policy).inc(outcome.fallbacks)
        for reason, count in outcome.dropped.items():
            series.drops.labels(policy, reason).inc(count)
        if outcome.hedge:
            series.hedges.labels(policy, outcome.hedge).inc()
