"""Which bounds bind whom, worked out once per configuration."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from penstock_config.budget import Budget
from penstock_config.layout import Group, subject_digest
from penstock_config.policy import CallerLimit, Policy
from penstock_config.provider import Model, Price, RateLimits
from penstock_config.schema import SidecarConfig
from penstock_sidecar.limits import ledger
from penstock_sidecar.limits.bounds import STATE_KEY, Bound, Place, budget_bounds, rate_bounds
from penstock_sidecar.metering.estimate import PriceUnknown, price_of
from penstock_sidecar.model import Caller, Candidate, Pod
from penstock_sidecar.selector import matches

FIRST_FREE_KEY: Final = 4
"""KEYS[1] to [3] are the group's own."""
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class CallerBounds:
    """The policy's limits; whose counters they use is known with the caller."""

    group: Group
    policy_id: str
    limits: tuple[CallerLimit, ...]
    bounds: tuple[Bound, ...]
    keep_ms: int
    scope_key: bytes

    def place(self, caller: Caller, headers: Mapping[str, str]) -> ledger.Place:
        """Two keys for each limit, as `caller_bounds` numbers them."""
        keys = (key for limit in self.limits for key in self._keys(limit, caller, headers))
        return ledger.Place(self.group, tuple(keys), self.keep_ms)

    def _keys(
        self, limit: CallerLimit, caller: Caller, headers: Mapping[str, str]
    ) -> tuple[str, str]:
        match limit.per:
            case "App":
                subject = caller.app
            case "Pod":
                subject = caller.pod
            case "User":
                subject = caller.user
            case "Header":
                subject = headers.get(limit.header or "", "")
        digest = subject_digest(self.scope_key, self.policy_id, limit.name, limit.per, subject)
        return self.group.subject(digest), self.group.slots(digest)


@dataclass(frozen=True, slots=True)
class CandidateBounds:
    """What binds an attempt at one candidate."""

    model: Model
    place: ledger.Place
    """In the provider's group."""
    rates: tuple[Bound, ...]
    budgets: tuple[Bound, ...]
    """Of the namespace."""
    provider_budgets: tuple[Bound, ...]
    price: Price | None
    price_unknown: str
    """Why there is no price; empty where there is one."""
    sidecars: int

    @property
    def hard(self) -> Bound | None:
        """A budget that refuses; then what an attempt may cost must be bounded."""
        return next((b for b in self.budgets + self.provider_budgets if b.enforced), None)


def caller_bounds(config: SidecarConfig, policy: Policy, scope_key: bytes) -> CallerBounds:
    bounds: list[Bound] = []
    for index, limit in enumerate(policy.limits):
        place = Place(FIRST_FREE_KEY + 2 * index, FIRST_FREE_KEY + 2 * index + 1)
        name = f"limit {limit.name}"
        bounds += rate_bounds(name, limit.limits, place, enforced=not limit.shadow)
    return CallerBounds(
        Group.of_namespace(config.cluster, config.namespace),
        policy.id,
        policy.limits,
        tuple(bounds),
        max((_keep_ms(limit.limits) for limit in policy.limits), default=0),
        scope_key,
    )


def candidate_bounds(config: SidecarConfig, pod: Pod, candidate: Candidate) -> CandidateBounds:
    provider, model = candidate.provider, candidate.model
    group = Group.of_provider(config.cluster, provider.id)
    slots = (group.slots("provider"), group.slots(f"model:{model.name}"))
    of_provider = Place(STATE_KEY, FIRST_FREE_KEY)
    of_model = Place(STATE_KEY, FIRST_FREE_KEY + 1, f"model:{model.name}:")
    binding = [b for b in config.budgets if _binds(b, candidate, pod)]
    price, why = _price(candidate)
    return CandidateBounds(
        model=model,
        place=ledger.Place(group, slots),
        rates=(
            *rate_bounds(f"provider {provider.id}", provider.limits, of_provider, enforced=True),
            *rate_bounds(f"model {candidate.label}", model.limits, of_model, enforced=True),
        ),
        budgets=tuple(_periods(binding, provider_wide=False)),
        provider_budgets=tuple(_periods(binding, provider_wide=True)),
        price=price,
        price_unknown=why,
        sidecars=provider.sidecars,
    )


def _binds(budget: Budget, candidate: Candidate, pod: Pod) -> bool:
    """All that the scope names must hold. A provider's own budget knows no pods of others."""
    return (
        (budget.provider_wide or matches(budget.selector, pod.labels))
        and (not budget.tiers or candidate.tier_id in budget.tiers)
        and (not budget.providers or candidate.provider.id in budget.providers)
    )


def _periods(budgets: list[Budget], *, provider_wide: bool) -> Iterator[Bound]:
    for budget in budgets:
        if budget.provider_wide is provider_wide:
            yield from budget_bounds(budget)


def _price(candidate: Candidate) -> tuple[Price | None, str]:
    try:
        return price_of(candidate.provider, candidate.model), ""
    except PriceUnknown as error:
        return None, str(error)


def _keep_ms(limits: RateLimits) -> int:
    """Twice the longest period: what is older counts for nothing."""
    if limits.requests_per_day or limits.tokens_per_day:
        return 2 * DAY_MS
    return round(2_000 * limits.window_seconds) + 1_000
