"""What shorter prompts saved, in numbers."""

from prometheus_client import CollectorRegistry, Counter

from penstock_sidecar.model import Outcome


class CompressionMeters:
    """Tokens are guesses; what a provider counted is in `gen_ai_client_token_usage`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tokens = Counter(
            "penstock_compression_tokens",
            "Tokens of prompts that became shorter, about, before and after",
            ("policy", "when"),
            registry=registry,
        )

    def count(self, outcome: Outcome) -> None:
        if found := outcome.compression:
            self._tokens.labels(outcome.policy, "before").inc(found.tokens_before)
            self._tokens.labels(outcome.policy, "after").inc(found.tokens_after)
