"""`Budget` into the contract's budgets: one for its namespace, or one for each of its providers."""

from collections.abc import Iterator
from dataclasses import dataclass

from penstock_config import budget as config
from penstock_operator.api.budget import Amounts, Budget
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


@dataclass(frozen=True, slots=True)
class BuiltBudget:
    """What sidecars count (`entries`), in which namespace, and what is wrong with the budget."""

    namespace: str
    entries: tuple[config.Budget, ...]
    problems: tuple[Problem, ...]


def build_budget(budget: Budget, catalogue: Catalogue) -> BuiltBudget:
    """The budget and everything that is wrong with it; what is clear in it binds in any case."""
    problems = (*check_object(budget), *_dangling(budget, catalogue), *_split(budget))
    entries = tuple(_entries(budget)) if budget.spec.limits else ()
    return BuiltBudget(budget.metadata.namespace, entries, problems)


def binds(entry: config.Budget, tiers: frozenset[str], providers: frozenset[str]) -> bool:
    """Whether something that the namespace can reach is within the budget's scope."""
    by_tier = not entry.tiers or not tiers.isdisjoint(entry.tiers)
    return by_tier and (not entry.providers or not providers.isdisjoint(entry.providers))


def _entries(budget: Budget) -> Iterator[config.Budget]:
    wide = _provider_wide(budget)
    scope, namespace = budget.spec.scope, budget.metadata.namespace
    named = [reference_id(ref, namespace) for ref in scope.providers]
    plain = _entry(budget, tuple(dict.fromkeys(id_ for id_ in named if id_ not in wide)))
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


def _entry(budget: Budget, providers: tuple[str, ...]) -> config.Budget:
    spec, namespace = budget.spec, budget.metadata.namespace
    return config.Budget(
        id=budget.id,
        selector=selector_of(spec.scope.pods),
        tiers=tuple(reference_id(ref, namespace) for ref in spec.scope.tiers),
        providers=providers,
        limits=_amounts(spec.limits),
        time_zone=spec.time_zone if is_time_zone(spec.time_zone) else "UTC",
        alert_thresholds_percent=tuple(sorted(spec.alert_thresholds_percent)),
        on_exceeded="Warn" if spec.on_exceeded == "Warn" else "Reject",
        status_on_reject=spec.status_on_reject,
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
    if len(budget.spec.scope.providers) > 1 and _provider_wide(budget) and budget.spec.limits:
        message = (
            "each of these providers may spend the whole amount: write one Budget for each, or"
            " name pods or tiers as well to count this namespace's spending in one sum"
        )
        ref = ref_of(budget)
        yield Problem(
            ref, "Enforced", "CountedPerProvider", message, "warning", "spec.scope.providers"
        )
