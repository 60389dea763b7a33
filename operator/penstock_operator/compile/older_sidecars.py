"""What sidecars of the version before cannot be told: a warning while such sidecars run.

They deny those rules and tiers, and have no such providers (`penstock_config.older`); newer ones
are not concerned.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from penstock_config.older import (
    FIRST_RELEASE,
    Inexpressible,
    Unjudgeable,
    Unreachable,
    inexpressible,
    unjudgeable,
    unreachable,
)
from penstock_config.schema import SidecarConfig
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.model_tier import ModelTier
from penstock_operator.api.names import VERSION_LABEL
from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.compile.namespaces import Namespace, tiers_of
from penstock_operator.compile.parse import ref_of
from penstock_operator.compile.problem import Problem
from penstock_operator.compile.rulings import rule_pods
from penstock_operator.compile.snapshot import PodLabels, Snapshot

MESSAGE: Final = (
    "sidecars of pods that run an older version do not know this, and deny every request that"
    " the rest of the rule matches: restart those pods (kubectl get pods -L {})"
)
TIER_DENIED: Final = (
    "sidecars of pods that run an older version cannot refuse by this, and deny every request to"
    " the tier: restart those pods (kubectl get pods -L {})"
)
TOO_OLD: Final = (
    "sidecars of pods that run an older version cannot reach this provider so, and do without it:"
    " restart those pods (kubectl get pods -L {})"
)


def needs_newer_sidecars(namespace: Namespace, snapshot: Snapshot) -> Iterator[Problem]:
    """One for each such rule of a policy that rules an older pod."""
    missing = [found for policy in namespace.policies for found in inexpressible(policy)]
    if not missing:  # mostly; pods may be thousands
        return
    ruled = _ruled(namespace, snapshot)
    specs = {policy.id: policy for policy in snapshot.policies}
    yield from (_problem(specs[found.policy], found) for found in missing if found.policy in ruled)


def cannot_reach(
    namespace: Namespace, config: SidecarConfig, snapshot: Snapshot
) -> Iterator[Problem]:
    """One for each provider that an older pod of the namespace would be sent to."""
    missing = [found for provider in config.providers for found in unreachable(provider)]
    if missing and _ruled(namespace, snapshot):
        providers = {provider.id: provider for provider in snapshot.providers}
        yield from (_of_provider(providers[found.provider], found) for found in missing)


def cannot_judge(
    namespace: Namespace, config: SidecarConfig, snapshot: Snapshot
) -> Iterator[Problem]:
    """One for each such tier that a policy with an older pod leads to."""
    missing = [found for tier in config.tiers for found in unjudgeable(tier)]
    if not missing:
        return
    ruled = _ruled(namespace, snapshot)
    led = {id_ for policy in namespace.policies if policy.id in ruled for id_ in tiers_of(policy)}
    tiers = {tier.id: tier for tier in snapshot.tiers}
    yield from (_of_tier(tiers[found.tier], found) for found in missing if found.tier in led)


def _ruled(namespace: Namespace, snapshot: Snapshot) -> Mapping[str, int]:
    """Policies that rule older pods, with how many."""
    return rule_pods(namespace.policies, _older(namespace.name, snapshot)).pods


def _older(namespace: str, snapshot: Snapshot) -> Iterator[PodLabels]:
    """Pods whose stamp is not known to be new enough; none where pods bear no stamps at all."""
    own = snapshot.sidecar_version
    for pod in snapshot.pods if own is not None else ():
        stamp = pod.labels.get(VERSION_LABEL, "")
        if pod.namespace == namespace and stamp != own and _release(stamp) < FIRST_RELEASE:
            yield pod


def _release(stamp: str) -> tuple[int, ...]:
    """Of `0.2.1` (0, 2); of what is no version nothing, which is less than any."""
    try:
        return tuple(int(number) for number in stamp.split(".")[:2])
    except ValueError:
        return ()


def _problem(policy: RoutePolicy, found: Inexpressible) -> Problem:
    names = [rule.name for rule in policy.spec.rules]
    path = f"spec.rules[{names.index(found.rule)}].{found.field}"
    message = MESSAGE.format(VERSION_LABEL)
    return Problem(ref_of(policy), "Enforced", "NeedsNewerSidecar", message, "warning", path)


def _of_tier(tier: ModelTier, found: Unjudgeable) -> Problem:
    message, path = TIER_DENIED.format(VERSION_LABEL), f"spec.{found.field}"
    return Problem(ref_of(tier), "Enforced", "NeedsNewerSidecar", message, "warning", path)


def _of_provider(provider: LLMProvider, found: Unreachable) -> Problem:
    type_ = "type" if provider.spec.preset is None else "preset"
    path = {"type": type_, "proxy_url": "proxyURL", "private_ca": "tls"}[found.field]
    message = TOO_OLD.format(VERSION_LABEL)
    ref = ref_of(provider)
    return Problem(ref, "Enforced", "NeedsNewerSidecar", message, "warning", f"spec.{path}")
