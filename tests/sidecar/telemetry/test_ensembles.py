"""What is counted of ensembles."""

from dataclasses import replace

from penstock_sidecar.model import EnsembleMember, EnsembleResult
from penstock_sidecar.telemetry.metrics import Metrics
from tests.sidecar.telemetry.outcomes import outcome

MEMBERS = (
    EnsembleMember("team/a", "big", "chosen", 0.5, cost_micro_usd=300),
    EnsembleMember("team/b", "small", "dissented", 0.5, cost_micro_usd=20),
    EnsembleMember("team/c", "lost", "failed", None, "provider_timeout"),
)
RESULT = EnsembleResult("Majority", "panel", 3, 2, 0.5, False, MEMBERS)


def exposition(*results: EnsembleResult) -> str:
    metrics = Metrics("1.0")
    for result in results:
        metrics.request_ended(replace(outcome(), cost_micro_usd=320, ensemble=result))
    return metrics.exposition()[0].decode()


def test_every_model_costs_under_its_own_name() -> None:
    said = exposition(RESULT)
    costs = [line for line in said.splitlines() if line.startswith("penstock_cost_usd_total{")]
    nonzero = [line for line in costs if not line.endswith(" 0.0")]
    assert sorted(line.split()[-1] for line in nonzero) == ["0.0003", "2e-05"]
    assert all('provider="team/a"' in c or 'provider="team/b"' in c for c in nonzero)


def test_agreement_is_counted_where_somebody_answered() -> None:
    nobody = replace(RESULT, answered=0, agreement=0.0, degraded=True)
    said = exposition(RESULT, nobody)
    assert "penstock_ensemble_agreement_count{" in said
    count = next(li for li in said.splitlines() if li.startswith("penstock_ensemble_agreement_cou"))
    assert count.endswith(" 1.0")
    assert 'degraded="true"' in said
    assert 'model="lost"' in said
