"""Prometheus instruments, each with its name, labels and buckets; nothing decides here.

`gen_ai_*` are OpenTelemetry's GenAI names as Prometheus spells them (semantic conventions of
generative AI client metrics, development status), with its recommended buckets.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS: Final = (
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
)  # fmt: skip
TOKENS: Final = tuple(4**power for power in range(14))
OVERHEAD_SECONDS: Final = (
    0.0002, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.512, 2.048,
)  # fmt: skip
DOLLARS: Final = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
OPERATION: Final = ("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model")


class Series:
    """All instruments, in a registry of their own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(name, text, labels, buckets=buckets, registry=registry)

        self.requests = counter(
            "penstock_requests", "Requests by what became of them: ok, or the error's type",
            "policy", "tier", "provider", "model", "outcome",
        )  # fmt: skip
        self.errors = counter(
            "penstock_request_errors",
            "Errors that callers were told, by whose they are",
            "error_type",
        )
        self.overhead = histogram(
            "penstock_overhead_seconds", "Time that the sidecar added", OVERHEAD_SECONDS
        )
        self.duration = histogram(
            "gen_ai_client_operation_duration_seconds", "Whole requests", SECONDS,
            *OPERATION, "error_type",
        )  # fmt: skip
        self.first_chunk = histogram(
            "gen_ai_client_operation_time_to_first_chunk_seconds", "Until a stream's first content",
            SECONDS, *OPERATION,
        )  # fmt: skip
        self.tokens = histogram(
            "gen_ai_client_token_usage", "Tokens per request, as the provider counted them",
            TOKENS, *OPERATION, "gen_ai_token_type",
        )  # fmt: skip
        self.cost = counter("penstock_cost_usd", "Money spent", "policy", "provider", "model")
        self.request_cost = histogram(
            "penstock_request_cost_usd", "Cost of an answered request, by how hard it was",
            DOLLARS, "model", "complexity",
        )  # fmt: skip
        self.saved = counter("penstock_cost_saved_usd", "Money that hits saved", "policy", "model")
        self.cache_hits = counter(
            "penstock_cache_hits", "Answers from the cache", "policy", "level"
        )
        self.cache_misses = counter("penstock_cache_misses", "Looked up, not there", "policy")
        self.denials = counter(
            "penstock_limit_denials", "Requests that a limit or budget refused", "policy", "reason"
        )
        self.exceeded = counter(
            "penstock_limit_exceeded", "How often each limit was over, shadow limits included",
            "limit", "what", "enforced",
        )  # fmt: skip
        self.shared = counter(
            "penstock_subjects_shared",
            "Requests of users or header values beyond maxSubjects, which share a bucket",
            "policy",
        )
        self.retries = counter("penstock_retries", "Further attempts at one candidate", "policy")
        self.fallbacks = counter("penstock_fallbacks", "Moves to a next candidate", "policy")
        self.hedges = counter(
            "penstock_hedges", "Second attempts beside a first, by which of them answered",
            "policy", "winner",
        )  # fmt: skip
        self.quality = gauge(
            "penstock_response_quality_score",
            "What bad answers have left of a model's standing at a task: 1 at best",
            "model", "task",
        )  # fmt: skip
        self.drops = counter(
            "penstock_candidates_dropped",
            "Candidates that could not serve a request, or were put last, by why",
            "policy", "reason",
        )  # fmt: skip
        self.feedback = counter(
            "penstock_feedback", "What people thought of answers", "model", "kind"
        )
        self.breakers = gauge(
            "penstock_breaker_state",
            "Models that fail: 0 closed, 1 half-open, 2 open; without a model the provider itself",
            "provider", "model", "endpoint",
        )  # fmt: skip
        self.transitions = counter(
            "penstock_breaker_transitions",
            "Changes of a breaker, by what it came to",
            "provider", "model", "endpoint", "to",
        )  # fmt: skip
        self.config = gauge(
            "penstock_config_info",
            "What is loaded, as labels",
            "config_digest",
            "credentials_digest",
        )
        self.config_failures = counter(
            "penstock_config_reload_failures", "Files that could not be put to work"
        )
        self.in_flight = gauge("penstock_in_flight_requests", "Requests being served")
        self.redis = gauge("penstock_redis_available", "1 while Redis answers, 0 while it does not")
        self.build = gauge("penstock_build_info", "The version, as a label", "version")
