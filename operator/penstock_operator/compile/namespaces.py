"""One namespace's part of everything: what its policies reach, and no more."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from penstock_config.budget import Budget
from penstock_config.policy import Policy
from penstock_config.provider import Provider
from penstock_config.schema import SidecarConfig
from penstock_operator.compile.budgets import BuiltBudget, binds
from penstock_operator.compile.policies import BuiltPolicy
from penstock_operator.compile.providers import BuiltProvider
from penstock_operator.compile.rulings import Rulings, power_of_two
from penstock_operator.compile.tiers import BuiltTier


@dataclass(frozen=True, slots=True)
class Built:
    """Every object of the snapshot, built, by id."""

    providers: Mapping[str, BuiltProvider]
    tiers: Mapping[str, BuiltTier]
    policies: Mapping[str, BuiltPolicy]
    budgets: Mapping[str, BuiltBudget]


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace with a policy. `policies` are those in use, best first."""

    name: str
    policies: tuple[Policy, ...]
    rulings: Rulings


def providers_of(policy: Policy, tiers: Mapping[str, BuiltTier]) -> frozenset[str]:
    """The providers that a policy reaches through its tiers."""
    candidates = (candidate for id_ in policy.tiers for candidate in tiers[id_].config.candidates)
    return frozenset(candidate.provider for candidate in candidates)


def pods_by_provider(
    namespaces: Iterable[Namespace], tiers: Mapping[str, BuiltTier]
) -> Counter[str]:
    """How many pods, over all namespaces, can reach each provider."""
    reaching: Counter[str] = Counter()
    for namespace in namespaces:
        for policy in namespace.policies:
            for provider in providers_of(policy, tiers):
                reaching[provider] += namespace.rulings.pods.get(policy.id, 0)
    return reaching


def config_of(
    namespace: Namespace, cluster: str, built: Built, reaching: Mapping[str, int]
) -> SidecarConfig:
    """The namespace's configuration; equal arguments give equal bytes."""
    tiers = sorted({id_ for policy in namespace.policies for id_ in policy.tiers})
    providers = sorted(
        {id_ for policy in namespace.policies for id_ in providers_of(policy, built.tiers)}
    )
    return SidecarConfig(
        cluster=cluster,
        namespace=namespace.name,
        providers=tuple(_counted(built.providers[id_].config, reaching) for id_ in providers),
        tiers=tuple(built.tiers[id_].config for id_ in tiers),
        policies=tuple(
            policy.model_copy(
                update={"sidecars": power_of_two(namespace.rulings.pods.get(policy.id, 0))}
            )
            for policy in namespace.policies
        ),
        budgets=_budgets(namespace.name, built, tiers, providers),
    )


def _counted(provider: Provider, reaching: Mapping[str, int]) -> Provider:
    return provider.model_copy(update={"sidecars": power_of_two(reaching.get(provider.id, 0))})


def _budgets(
    namespace: str, built: Built, tiers: Sequence[str], providers: Sequence[str]
) -> tuple[Budget, ...]:
    """Its own and the provider-wide ones of others, those that can bind."""
    reached = frozenset(tiers), frozenset(providers)
    entries = [
        entry
        for budget in built.budgets.values()
        for entry in budget.entries
        if (entry.provider_wide or budget.namespace == namespace) and binds(entry, *reached)
    ]
    return tuple(sorted(entries, key=lambda entry: (entry.id, entry.providers)))
