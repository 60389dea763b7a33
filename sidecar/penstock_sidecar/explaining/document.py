"""An explanation as JSON has it: what `penstock explain --json` prints, and a sidecar answers."""

from collections.abc import Iterable, Iterator

from penstock_config.budget import Amounts, Budget
from penstock_config.provider import RateLimits
from penstock_sidecar.explaining.explainer import Cost, Explanation
from penstock_sidecar.metering.cost import usd
from penstock_sidecar.model import Candidate, JsonObject
from penstock_sidecar.routing.debug import (
    Verdict,
    classification_document,
    drop_document,
    replicas_document,
)


def document_of(explanation: Explanation) -> JsonObject:
    """All of it. Money is text, in USD; never a word of the request."""
    e = explanation
    return {
        "policy": e.policy.id,
        "labels": dict(e.labels),
        "user": e.user,
        "input": {"estimatedTokens": e.input.tokens, "mostTokens": e.input.most_tokens},
        "rule": e.route.rule if e.route else None,
        "target": e.route.target if e.route else None,
        "classification": classification_document(e.classification) or None,
        "candidates": [
            {**_candidate(verdict.candidate, cost), **_judged(verdict)}
            for verdict, cost in zip(e.verdicts, e.costs, strict=True)
        ],
        "dropped": [drop_document(drop) for drop in (e.selection.drops if e.selection else ())],
        "limits": [{"name": name, "limits": figures} for name, figures in limits_of(e)],
        "budgets": [_budget(budget) for budget in e.budgets],
        "refusal": e.refusal or None,
    }


def limits_of(explanation: Explanation) -> Iterator[tuple[str, dict[str, int]]]:
    """The caller's, then those of every provider and model that may be asked."""
    for limit in explanation.policy.limits:
        yield f"{limit.name} (per {limit.per})", _figures(limit.limits)
    for candidate in explanation.selection.candidates if explanation.selection else ():
        for name, rates in (
            (candidate.provider.id, candidate.provider.limits),
            (candidate.label, candidate.model.limits),
        ):
            if figures := _figures(rates):
                yield name, figures


def _figures(rates: RateLimits) -> dict[str, int]:
    return rates.model_dump(exclude_none=True, exclude={"window_seconds", "pacing"})


def _candidate(candidate: Candidate, cost: Cost) -> JsonObject:
    return {
        "candidate": candidate.label,
        "tier": candidate.tier,
        "priority": candidate.priority,
        "weight": candidate.weight,
        "costsAtMostUSD": None if cost.most_micro_usd is None else usd(cost.most_micro_usd),
        "outputTokens": cost.output_tokens,
        **_managed(candidate),
    }


def _judged(verdict: Verdict) -> JsonObject:
    micro_usd = verdict.micro_usd
    return {
        "strategy": verdict.strategy,
        "score": verdict.score,
        "costsAboutUSD": None if micro_usd is None else usd(micro_usd),
        **replicas_document(verdict),
    }


def _managed(candidate: Candidate) -> JsonObject:
    """What is known beforehand of an Ollama that the operator runs."""
    managed, model = candidate.provider.managed, candidate.model
    if managed is None:
        return {}
    return {
        "managed": {
            "mayBeCold": managed.may_be_cold,
            "onCold": managed.on_cold,
            "parallel": model.parallel,
            "loadSeconds": model.load_seconds,
        }
    }


def _budget(budget: Budget) -> JsonObject:
    downgrade = budget.downgrade
    return {
        "budget": budget.id,
        "limitsUSD": {period: usd(amount) for period, amount in _amounts(budget.limits)},
        "perUserUSD": {period: usd(amount) for period, amount in _amounts(budget.per_user)},
        "onExceeded": budget.on_exceeded,
        "downgrade": downgrade and {"tier": downgrade.tier, "atPercent": downgrade.at_percent},
    }


def _amounts(amounts: Amounts) -> Iterable[tuple[str, int]]:
    return amounts.model_dump(exclude_none=True).items()
