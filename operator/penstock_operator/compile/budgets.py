"""`Budget` into the contract's budgets: one for its namespace, or one for each of its providers."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from penstock_config import budget as config
from penstock_operator.api.budget import Amounts, Boost, Budget
from penstock_operator.compile.checks import check_object, is_time_zone
from penstock_operator.compile.labels import selector_of
from penstock_operator.compile.money import micro_usd
from penstock_operator.compile.parse import ref_of
from penstock_operator.compile.problem import Problem
from penstock_operator.compile.references import (
    Catalogue,
    Unresolved,
    find_provider,
    find_tier,
    reference_id,
)
from penstock_operator.compile.tiers import EMPTY_TIER, BuiltTier


@dataclass(frozen=True, slots=True)
class BuiltBudget:
    """What sidecars count (`entries`), in which namespace, and what is wrong with the budget."""

    namespace: str
    entries: tuple[config.Budget, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Downgrade:
    """Where it leads, if it does, and what is wrong with that."""

    entry: config.Downgrade | None = None
    problems: tuple[Problem, ...] = ()


def build_budget(
    budget: Budget,
    catalogue: Catalogue,
    tiers: Mapping[str, BuiltTier],
    at: datetime | None,
) -> BuiltBudget:
    """The budget and everything that is wrong with it; what is clear in it binds in any case."""
    downgrade = _downgrade(budget, catalogue, tiers)
    problems = (
        *check_object(budget),
        *_dangling(budget, catalogue),
        *downgrade.problems,
        *_split(budget),
        *_ended(budget, at),
    )
    entries = tuple(_entries(budget, downgrade.entry))
    return BuiltBudget(budget.metadata.namespace, entries, problems)


def binds(entry: config.Budget, tiers: frozenset[str], providers: frozenset[str]) -> bool:
    """Whether something that the namespace can reach is within the budget's scope."""
    by_tier = not entry.tiers or not tiers.isdisjoint(entry.tiers)
    return by_tier and (not entry.providers or not providers.isdisjoint(entry.providers))


def _entries(budget: Budget, downgrade: config.Downgrade | None) -> Iterator[config.Budget]:
    wide = _provider_wide(budget)
    scope, namespace = budget.spec.scope, budget.metadata.namespace
    named = [reference_id(ref, namespace) for ref in scope.providers]
    plain = _entry(budget, tuple(dict.fromkeys(id_ for id_ in named if id_ not in wide)), downgrade)
    for id_ in wide:
        yield plain.model_copy(update={"provider_wide": True, "providers": (id_,)})
    if plain.providers or not wide:
        yield plain


def _provider_wide(budget: Budget) -> tuple[str, ...]:
    """The providers beside the budget, where the scope names nothing but providers."""
    scope, namespace = budget.spec.scope, budget.metadata.namespace
    if scope.pods is not None or scope.tiers:
        return ()
    own = [ref for ref in scope.providers if ref.namespace in {None, namespace}]
    return tuple(dict.fromkeys(reference_id(ref, namespace) for ref in own))


def _entry(
    budget: Budget, providers: tuple[str, ...], downgrade: config.Downgrade | None
) -> config.Budget:
    spec, namespace = budget.spec, budget.metadata.namespace
    return config.Budget(
        id=budget.id,
        selector=selector_of(spec.scope.pods),
        tiers=tuple(reference_id(ref, namespace) for ref in spec.scope.tiers),
        providers=providers,
        limits=_amounts(spec.limits),
        per_user=_amounts(spec.per_user),
        time_zone=spec.time_zone if is_time_zone(spec.time_zone) else "UTC",
        alert_thresholds_percent=tuple(sorted(spec.alert_thresholds_percent)),
        on_exceeded=spec.on_exceeded,
        downgrade=downgrade,
        boost=_boost(spec.boost),
        status_on_reject=spec.status_on_reject,
        unsettled_age_out_seconds=spec.unsettled_age_out_hours * 3600,
    )


def _amounts(amounts: Amounts | None) -> config.Amounts:
    if amounts is None:
        return config.Amounts()
    return config.Amounts(
        daily=_optional(amounts.daily),
        weekly=_optional(amounts.weekly),
        monthly=_optional(amounts.monthly),
        total=_optional(amounts.total),
    )


def _optional(amount: str | None) -> int | None:
    return None if amount is None else micro_usd(amount)


def _boost(boost: Boost | None) -> config.Boost | None:
    """Sidecars end it by themselves: one that is over is told all the same."""
    if boost is None:
        return None
    return config.Boost(
        amount=micro_usd(boost.amount_usd), until=math.floor(boost.until.timestamp())
    )


def _downgrade(budget: Budget, catalogue: Catalogue, tiers: Mapping[str, BuiltTier]) -> _Downgrade:
    """Without a tier it is refused when the money is gone; a tier that is empty denies before."""
    wanted, ref, path = budget.spec.downgrade, ref_of(budget), "spec.downgrade.tier"
    if wanted is None:
        return _Downgrade()
    found = find_tier(wanted.tier, budget.metadata.namespace, catalogue)
    if isinstance(found, Unresolved):
        message = f"{found.message} (until then, nothing is served cheaper)"
        return _Downgrade(None, (Problem(ref, "ResolvedRefs", found.reason, message, path=path),))
    made = config.Downgrade(tier=found.id, at_percent=wanted.at_percent)
    if tiers[found.id].config.candidates:
        return _Downgrade(made)
    message = EMPTY_TIER.format(found.id)
    empty = Problem(ref, "ResolvedRefs", "TierUnavailable", message, "warning", path)
    return _Downgrade(made, (empty,))


def _ended(budget: Budget, at: datetime | None) -> Iterator[Problem]:
    boost = budget.spec.boost
    if boost is not None and at is not None and boost.until <= at:
        message = "is over, so that the limits are in force as they stand: remove spec.boost"
        yield Problem(
            ref_of(budget), "Enforced", "BoostEnded", message, "warning", "spec.boost.until"
        )


def _dangling(budget: Budget, catalogue: Catalogue) -> Iterator[Problem]:
    """A name in the scope that leads nowhere narrows the budget to nothing: nobody is counted."""
    scope, namespace = budget.spec.scope, budget.metadata.namespace
    found = [
        (f"spec.scope.tiers[{index}]", find_tier(ref, namespace, catalogue))
        for index, ref in enumerate(scope.tiers)
    ] + [
        (f"spec.scope.providers[{index}]", find_provider(ref, namespace, catalogue))
        for index, ref in enumerate(scope.providers)
    ]
    for path, each in found:
        if isinstance(each, Unresolved):
            yield Problem(ref_of(budget), "ResolvedRefs", each.reason, each.message, path=path)


def _split(budget: Budget) -> Iterator[Problem]:
    """The books of two providers lie apart in Redis, so one sum over both cannot be kept."""
    if len(budget.spec.scope.providers) > 1 and _provider_wide(budget):
        message = (
            "each of these providers may spend the whole amount: write one Budget for each, or"
            " name pods or tiers as well to count this namespace's spending in one sum"
        )
        ref = ref_of(budget)
        yield Problem(
            ref, "Enforced", "CountedPerProvider", message, "warning", "spec.scope.providers"
        )
