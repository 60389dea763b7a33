"""What ensembles did, in numbers: how far models agree, and what became of each that was asked."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from penstock_sidecar.metering.cost import MICRO_PER_USD
from penstock_sidecar.model import EnsembleResult

AGREEMENT: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


class EnsembleMeters:
    """`cost` is the counter of all money spent, by policy, provider and model."""

    def __init__(self, registry: CollectorRegistry, cost: Counter) -> None:
        self._cost = cost
        self._requests = Counter(
            "penstock_ensembles",
            "Requests that several models answered; degraded: by fewer or others than meant",
            ("policy", "tier", "consensus", "degraded"),
            registry=registry,
        )
        self._agreement = Histogram(
            "penstock_ensemble_agreement",
            "How far the models of an ensemble agreed, from 0 to 1",
            ("policy", "tier", "consensus"),
            buckets=AGREEMENT,
            registry=registry,
        )
        self._members = Counter(
            "penstock_ensemble_members",
            "Models that were asked for an ensemble, by what became of each",
            ("policy", "tier", "provider", "model", "result"),
            registry=registry,
        )

    def count(self, policy: str, found: EnsembleResult) -> None:
        """Every model's cost is its own, whoever was chosen."""
        tier, consensus = found.tier, found.consensus
        self._requests.labels(policy, tier, consensus, str(found.degraded).lower()).inc()
        if found.answered:
            self._agreement.labels(policy, tier, consensus).observe(found.agreement)
        for member in found.members:
            provider, model = member.provider, member.model
            self._members.labels(policy, tier, provider, model, member.result).inc()
            if cost_micro_usd := member.cost_micro_usd:
                self._cost.labels(policy, provider, model).inc(cost_micro_usd / MICRO_PER_USD)
