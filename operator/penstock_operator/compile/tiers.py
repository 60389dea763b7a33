"""`ModelTier` into the contract's `Tier`: candidates that can serve, or the text that denies."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

from penstock_config.tier import Candidate, Ensemble, Tier
from penstock_operator.api.model_tier import ModelTier, TierModel
from penstock_operator.compile.candidates import Dropped, offered
from penstock_operator.compile.checks import check_object, first_error
from penstock_operator.compile.choosing import (
    build_ensemble,
    floors_of,
    hedge_of,
    timeouts_of,
)
from penstock_operator.compile.parse import ref_of
from penstock_operator.compile.problem import Problem, Reason, Severity
from penstock_operator.compile.providers import BuiltProvider
from penstock_operator.compile.queues import queue_of
from penstock_operator.compile.references import Catalogue, Unresolved, find_tier
from penstock_operator.compile.shortfalls import Choice, shortfalls

EMPTY_TIER: Final = "ModelTier {} has no candidate that can serve (see its condition ResolvedRefs)"
"""What is said of those who lead to it."""


@dataclass(frozen=True, slots=True)
class BuiltTier:
    """A tier as sidecars get it, and everything that is wrong with it."""

    config: Tier
    problems: tuple[Problem, ...]


def build_tier(
    tier: ModelTier, catalogue: Catalogue, providers: Mapping[str, BuiltProvider]
) -> BuiltTier:
    """The tier with the candidates that are left; none left is a denial, never a way around."""
    faults = check_object(tier)
    found = [_choice(tier, model, catalogue, providers) for model in tier.spec.models]
    fallback_tiers, dangling = _fallback_tiers(tier, catalogue)
    ensemble = build_ensemble(tier, catalogue, providers)
    problems = [*faults, *_drops(tier, found), *dangling, *ensemble.problems]
    if refusal := first_error(faults):
        denied = f"ModelTier {tier.id} is refused: {refusal.text}"
        return BuiltTier(_config(tier, denied=denied), tuple(problems))
    if choices := tuple(each for each in found if isinstance(each, Choice)):
        candidates = tuple(choice.candidate for choice in choices)
        made = _config(tier, candidates, fallback_tiers, ensemble.entry)
        return BuiltTier(made, (*problems, *shortfalls(tier, choices)))
    causes = dict.fromkeys(each.cause for each in found if isinstance(each, Dropped))
    message = f"no candidate can serve: {'; '.join(causes)}"
    problems.append(_problem(tier, "NoCandidates", message, "spec.models"))
    denied = f"ModelTier {tier.id}: {message}"
    made = _config(tier, fallback_tiers=fallback_tiers, denied=denied)
    return BuiltTier(made, tuple(problems))


def with_fallbacks(ids: Iterable[str], tiers: Mapping[str, BuiltTier]) -> tuple[str, ...]:
    """The tiers, then those they fall back to, then theirs; each once, in order of mention."""
    reached = dict.fromkeys(ids)
    level = tuple(reached)
    while level:
        named = [to for id_ in level for to in tiers[id_].config.fallback_tiers]
        level = tuple(dict.fromkeys(to for to in named if to not in reached))
        reached |= dict.fromkeys(level)
    return tuple(reached)


def providers_of(ids: Iterable[str], tiers: Mapping[str, BuiltTier]) -> frozenset[str]:
    """The providers to which the tiers' requests may go: candidates' and judges'."""
    return frozenset(chain.from_iterable(_asked(tiers[id_].config) for id_ in ids))


def _asked(tier: Tier) -> Iterator[str]:
    yield from (candidate.provider for candidate in tier.candidates)
    if tier.ensemble and tier.ensemble.judge:
        yield tier.ensemble.judge.provider


def _config(
    tier: ModelTier,
    candidates: tuple[Candidate, ...] = (),
    fallback_tiers: tuple[str, ...] = (),
    ensemble: Ensemble | None = None,
    denied: str | None = None,
) -> Tier:
    spec = tier.spec
    return Tier(
        id=tier.id,
        name=tier.metadata.name,
        candidates=candidates,
        strategy=spec.strategy,
        floors=floors_of(spec),
        on_no_fit=spec.on_no_fit,
        timeouts=timeouts_of(spec),
        hedge=hedge_of(spec),
        ensemble=ensemble,
        when_saturated=spec.when_saturated,
        queue=queue_of(spec.queue),
        fallback_tiers=fallback_tiers,
        denied=denied,
    )


def _choice(
    tier: ModelTier,
    model: TierModel,
    catalogue: Catalogue,
    providers: Mapping[str, BuiltProvider],
) -> Choice | Dropped:
    namespace = tier.metadata.namespace
    found = offered(model.provider, model.model, namespace, catalogue, providers)
    if isinstance(found, Dropped):
        return found
    candidate = Candidate(
        provider=found.provider.id,
        model=model.model,
        weight=model.weight,
        priority=model.priority,
    )
    return Choice(candidate, found)


def _drops(tier: ModelTier, found: list[Choice | Dropped]) -> Iterator[Problem]:
    for index, each in enumerate(found):
        if isinstance(each, Dropped) and each.reason is not None:
            path = f"spec.models[{index}].{each.field}"
            yield _problem(tier, each.reason, each.cause, path, each.severity)


def _fallback_tiers(
    tier: ModelTier, catalogue: Catalogue
) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """Those that resolve; the others are problems and no longer fallen back to."""
    ids, problems = [], []
    for index, ref in enumerate(tier.spec.fallback_tiers):
        found = find_tier(ref, tier.metadata.namespace, catalogue)
        if isinstance(found, Unresolved):
            path = f"spec.fallbackTiers[{index}]"
            problems.append(_problem(tier, found.reason, found.message, path))
        else:
            ids.append(found.id)
    return tuple(dict.fromkeys(ids)), tuple(problems)


def _problem(
    tier: ModelTier, reason: Reason, message: str, path: str, severity: Severity = "error"
) -> Problem:
    return Problem(ref_of(tier), "ResolvedRefs", reason, message, severity, path)
