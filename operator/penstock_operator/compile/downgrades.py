"""Where budgets lead requests when money runs short: tiers that policies reach in this way alone.

A budget binds the policies of its namespace that can select one of its pods and reach what it
counts; one for a provider, those of every namespace. A tier in another namespace must consent to
the budget's namespace, and to that of each policy.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from penstock_config.budget import Budget
from penstock_config.policy import Policy
from penstock_operator.api.budget import Budget as BudgetObject
from penstock_operator.api.reference import ObjectReference
from penstock_operator.compile.budgets import BuiltBudget, binds
from penstock_operator.compile.labels import may_meet
from penstock_operator.compile.problem import ObjectRef, Problem
from penstock_operator.compile.references import Catalogue, Unresolved, find_tier
from penstock_operator.compile.tiers import BuiltTier, providers_of, with_fallbacks

NOT_PERMITTED: Final = (
    "ModelTier {} does not allow namespace {}{}, which this budget binds too and serves nothing"
    " cheaper: have it added to spec.allowedNamespaces of the tier"
)


def budgets_in(
    namespace: str, budgets: Iterable[BuiltBudget], catalogue: Catalogue
) -> tuple[Budget, ...]:
    """The namespace's own and other ones' for their providers; downgrading where it may."""
    return tuple(
        _permitted(entry, namespace, catalogue)
        for budget in budgets
        for entry in budget.entries
        if entry.provider_wide or budget.namespace == namespace
    )


def with_downgrades(
    policies: Iterable[Policy], budgets: Iterable[Budget], tiers: Mapping[str, BuiltTier]
) -> tuple[Policy, ...]:
    """The policies of a namespace, each with the tiers to which only budgets lead."""
    downgrading = [budget for budget in budgets if budget.downgrade]
    return tuple(
        policy.model_copy(update={"downgrade_tiers": _further(policy, downgrading, tiers)})
        for policy in policies
    )


def not_permitted(
    reached: Mapping[str, tuple[str, ...]],
    budgets: Iterable[BuiltBudget],
    tiers: Mapping[str, BuiltTier],
    catalogue: Catalogue,
) -> Iterator[Problem]:
    """Budgets that cannot downgrade wherever they bind. `reached`: tiers by namespace."""
    for budget in budgets:
        entries = [each for each in budget.entries if each.provider_wide and each.downgrade]
        refusing = [
            namespace
            for namespace in sorted(reached)
            if any(
                _permitted(each, namespace, catalogue).downgrade is None
                and _binds(each, reached[namespace], tiers)
                for each in entries
            )
        ]
        if refusing:
            yield _refused(entries[0], refusing)


def _refused(entry: Budget, namespaces: Sequence[str]) -> Problem:
    owner, name = entry.id.split("/")
    others = f" (and {len(namespaces) - 1} others)" if len(namespaces) > 1 else ""
    tier = entry.downgrade.tier if entry.downgrade else ""
    return Problem(
        ObjectRef(BudgetObject.kind, owner, name),
        "ResolvedRefs",
        "RefNotPermitted",
        NOT_PERMITTED.format(tier, namespaces[0], others),
        "warning",
        "spec.downgrade.tier",
    )


def _permitted(entry: Budget, namespace: str, catalogue: Catalogue) -> Budget:
    if entry.downgrade is None:
        return entry
    owner, name = entry.downgrade.tier.split("/")
    found = find_tier(ObjectReference(name=name, namespace=owner), namespace, catalogue)
    if isinstance(found, Unresolved):
        return entry.model_copy(update={"downgrade": None})
    return entry


def _further(
    policy: Policy, budgets: Sequence[Budget], tiers: Mapping[str, BuiltTier]
) -> tuple[str, ...]:
    """A tier that is reached so may be what another budget counts: hence until nothing is new."""
    reached = policy.tiers
    binding = [budget for budget in budgets if may_meet(budget.selector, policy.selector)]
    while reached:
        leading = [
            budget.downgrade.tier
            for budget in binding
            if budget.downgrade and _binds(budget, reached, tiers)
        ]
        found = with_fallbacks((*reached, *leading), tiers)
        if found == reached:
            break
        reached = found
    return reached[len(policy.tiers) :]


def _binds(budget: Budget, reached: Sequence[str], tiers: Mapping[str, BuiltTier]) -> bool:
    return binds(budget, frozenset(reached), providers_of(reached, tiers))
