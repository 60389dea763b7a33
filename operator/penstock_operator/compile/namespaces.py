"""One namespace's part of everything: what its policies reach, and no more."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from penstock_config.budget import Budget
from penstock_config.policy import Policy
from penstock_config.provider import Provider
from penstock_config.schema import SidecarConfig
from penstock_operator.compile.budgets import BuiltBudget, binds
from penstock_operator.compile.policies import BuiltPolicy
from penstock_operator.compile.providers import BuiltProvider
from penstock_operator.compile.references import Catalogue
from penstock_operator.compile.rulings import Rulings, power_of_two
from penstock_operator.compile.tiers import BuiltTier, providers_of


@dataclass(frozen=True, slots=True)
class Built:
    """Every object of the snapshot, built, by id."""

    providers: Mapping[str, BuiltProvider]
    tiers: Mapping[str, BuiltTier]
    policies: Mapping[str, BuiltPolicy]
    budgets: Mapping[str, BuiltBudget]
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace with a policy. `policies` are those in use, best first."""

    name: str
    policies: tuple[Policy, ...]
    rulings: Rulings
    budgets: tuple[Budget, ...]
    """Those that count here, whether something in them is reached or not."""


def tiers_of(policy: Policy) -> tuple[str, ...]:
    """All that the policy reaches, be it in a budget's way alone."""
    return (*policy.tiers, *policy.downgrade_tiers)


def pods_by_provider(
    namespaces: Iterable[Namespace], tiers: Mapping[str, BuiltTier]
) -> Counter[str]:
    """How many pods, over all namespaces, can reach each provider."""
    reaching: Counter[str] = Counter()
    for namespace in namespaces:
        for policy in namespace.policies:
            for provider in providers_of(tiers_of(policy), tiers):
                reaching[provider] += namespace.rulings.pods.get(policy.id, 0)
    return reaching


def config_of(
    namespace: Namespace, cluster: str, built: Built, reaching: Mapping[str, int]
) -> SidecarConfig:
    """The namespace's configuration; equal arguments give equal bytes."""
    tiers = sorted({id_ for policy in namespace.policies for id_ in tiers_of(policy)})
    providers = sorted(providers_of(tiers, built.tiers))
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
        budgets=_budgets(namespace.budgets, frozenset(tiers), frozenset(providers)),
    )


def _counted(provider: Provider, reaching: Mapping[str, int]) -> Provider:
    return provider.model_copy(update={"sidecars": power_of_two(reaching.get(provider.id, 0))})


def _budgets(
    budgets: Iterable[Budget], tiers: frozenset[str], providers: frozenset[str]
) -> tuple[Budget, ...]:
    """Those that can bind. One whose tier nobody reaches binds no pod, so that it leads nowhere."""
    entries = [
        entry
        if entry.downgrade is None or entry.downgrade.tier in tiers
        else entry.model_copy(update={"downgrade": None})
        for entry in budgets
        if binds(entry, tiers, providers)
    ]
    return tuple(sorted(entries, key=lambda entry: (entry.id, entry.providers)))
