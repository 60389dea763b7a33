"""`ModelTier` into the contract's `Tier`: candidates that can serve, or the text that denies."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from penstock_config.tier import Candidate, Tier
from penstock_operator.api.model_tier import ModelTier, TierModel
from penstock_operator.compile.checks import check_object, first_error
from penstock_operator.compile.parse import ref_of
from penstock_operator.compile.problem import Problem, Reason, Severity
from penstock_operator.compile.providers import BuiltProvider
from penstock_operator.compile.queues import queue_of
from penstock_operator.compile.references import (
    Catalogue,
    Unresolved,
    find_provider,
    find_tier,
)

EMPTY_TIER: Final = "ModelTier {} has no candidate that can serve (see its condition ResolvedRefs)"
"""What is said of those who lead to it."""
MAX_SHOWN: Final = 3
"""Names that stand in for one that is wrong."""


@dataclass(frozen=True, slots=True)
class BuiltTier:
    """A tier as sidecars get it, and everything that is wrong with it."""

    config: Tier
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Dropped:
    """A candidate that cannot serve. `reason` of `None`: as its author wants it."""

    cause: str
    reason: Reason | None = None
    severity: Severity = "error"
    field: str = ""


def build_tier(
    tier: ModelTier, catalogue: Catalogue, providers: Mapping[str, BuiltProvider]
) -> BuiltTier:
    """The tier with the candidates that are left; none left is a denial, never a way around."""
    faults = check_object(tier)
    found = [_candidate(tier, model, catalogue, providers) for model in tier.spec.models]
    fallback_tiers, dangling = _fallback_tiers(tier, catalogue)
    problems = [*faults, *_drops(tier, found), *dangling]
    if refusal := first_error(faults):
        denied = f"ModelTier {tier.id} is refused: {refusal.text}"
        return BuiltTier(_config(tier, (), (), denied), tuple(problems))
    candidates = tuple(each for each in found if isinstance(each, Candidate))
    if candidates:
        return BuiltTier(_config(tier, candidates, fallback_tiers, None), tuple(problems))
    causes = dict.fromkeys(each.cause for each in found if isinstance(each, _Dropped))
    message = f"no candidate can serve: {'; '.join(causes)}"
    problems.append(_problem(tier, "NoCandidates", message, "spec.models"))
    denied = f"ModelTier {tier.id}: {message}"
    return BuiltTier(_config(tier, (), fallback_tiers, denied), tuple(problems))


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
    """The providers that the tiers have as candidates."""
    return frozenset(c.provider for id_ in ids for c in tiers[id_].config.candidates)


def _config(
    tier: ModelTier,
    candidates: tuple[Candidate, ...],
    fallback_tiers: tuple[str, ...],
    denied: str | None,
) -> Tier:
    return Tier(
        id=tier.id,
        name=tier.metadata.name,
        candidates=candidates,
        when_saturated=tier.spec.when_saturated,
        queue=queue_of(tier.spec.queue),
        fallback_tiers=fallback_tiers,
        denied=denied,
    )


def _candidate(
    tier: ModelTier,
    model: TierModel,
    catalogue: Catalogue,
    providers: Mapping[str, BuiltProvider],
) -> Candidate | _Dropped:
    provider = find_provider(model.provider, tier.metadata.namespace, catalogue)
    if isinstance(provider, Unresolved):
        return _Dropped(provider.message, provider.reason, field="provider")
    if dropped := _unusable(providers[provider.id], model.model):
        return dropped
    return Candidate(
        provider=provider.id, model=model.model, weight=model.weight, priority=model.priority
    )


def _unusable(provider: BuiltProvider, model: str) -> _Dropped | None:
    id_ = provider.config.id
    if provider.suspended:
        return _Dropped(f"LLMProvider {id_} is suspended")
    if model in provider.suspended_models:
        return _Dropped(f"model {model} of LLMProvider {id_} is suspended")
    if provider.model_named(model) is None:
        message = f"LLMProvider {id_} has no model {model}: add it there, or correct the name"
        message += _instead(model, [each.name for each in provider.config.models])
        return _Dropped(message, "ModelNotFound", field="model")
    if provider.unusable is not None:
        return _Dropped(provider.unusable, "CandidateUnavailable", "warning", "provider")
    return None


def _instead(model: str, names: list[str]) -> str:
    """What may have been meant, else the first of what there is."""
    shown = get_close_matches(model, names, MAX_SHOWN) or names[:MAX_SHOWN]
    more = ", ..." if len(names) > len(shown) else ""
    return f" (it has {', '.join(shown)}{more})" if shown else ""


def _drops(tier: ModelTier, found: list[Candidate | _Dropped]) -> Iterator[Problem]:
    for index, each in enumerate(found):
        if isinstance(each, _Dropped) and each.reason is not None:
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
