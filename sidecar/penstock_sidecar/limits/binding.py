"""Which bounds bind whom, worked out once per configuration."""

from collections.abc import Iterator

from penstock_config.budget import Budget
from penstock_config.layout import Group, subject_digest
from penstock_config.policy import Policy
from penstock_config.provider import Model, Price, ProviderType
from penstock_config.schema import SidecarConfig
from penstock_sidecar.limits.bounds import (
    STATE_KEY,
    Bound,
    budget_bounds,
    rate_bounds,
    user_bounds,
)
from penstock_sidecar.limits.bounds import Place as Counters
from penstock_sidecar.limits.holds import Place, Turn
from penstock_sidecar.limits.key_plan import (
    FIRST_FREE_KEY,
    LimitKeys,
    UserKeys,
    plan_limits,
    plan_users,
)
from penstock_sidecar.limits.priority import RANK, Priority
from penstock_sidecar.metering.estimate import Input, PriceUnknown, price_of
from penstock_sidecar.model import Caller, Candidate, Pod, Request
from penstock_sidecar.selector import matches
from penstock_sidecar.values import dataclass

PROVIDER_SLOTS, MODEL_SLOTS, WAITING, TURNS = range(FIRST_FREE_KEY, FIRST_FREE_KEY + 4)
"""KEYS of a provider's group."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and what: as far as limits care."""

    caller: Caller
    request: Request
    given: Input
    priority: Priority


@dataclass(frozen=True, slots=True)
class CallerBounds:
    """The policy's limits; whose counters they use is known with the caller."""

    group: Group
    policy: Policy
    limits: tuple[LimitKeys, ...]
    users: UserKeys
    bounds: tuple[Bound, ...]
    scope_key: bytes

    def place(self, asking: Asker) -> Place:
        """With the keys as they are planned."""
        most = self.policy.identity.max_subjects
        keys: list[str] = []
        subjects = []
        for limit in self.limits:
            digest = self._digest(limit, asking)
            keys += limit.names(self.group, digest)
            if limit.tells_apart:
                subjects.append(limit.subject(digest, most))
        if self.users.budgets:
            digest = user_digest(self.scope_key, asking.caller.user)
            keys += self.users.names(self.group, digest)
            subjects.append(self.users.subject(digest, most))
        high = asking.priority == "High"
        user = asking.caller.user
        return Place(self.group, tuple(keys), tuple(subjects), high=high, user=user)

    def _digest(self, limit: LimitKeys, asking: Asker) -> str:
        caller, per = asking.caller, limit.limit.per
        match per:
            case "App":
                subject = caller.app
            case "Pod":
                subject = caller.pod
            case "User":
                subject = caller.user
            case "Header":
                subject = asking.request.headers.get(limit.limit.header or "", "")
        return subject_digest(self.scope_key, self.policy.id, limit.limit.name, per, subject)


@dataclass(frozen=True, slots=True)
class CandidateBounds:
    """What binds an attempt at one candidate."""

    label: str
    """The candidate's."""
    model: Model
    provider_type: ProviderType
    group: Group
    """The provider's."""
    bare: Place
    """In its group, for nobody."""
    users: UserKeys
    rates: tuple[Bound, ...]
    budgets: tuple[Bound, ...]
    """Of the namespace."""
    provider_budgets: tuple[Bound, ...]
    price: Price | None
    price_unknown: str
    """Why there is no price; empty where there is one."""
    sidecars: int
    app: str
    """Who waits, where apps wait for the provider."""
    weight: int
    max_subjects: int
    scope_key: bytes

    @property
    def of_provider(self) -> tuple[Bound, ...]:
        """All that is counted in its group."""
        return self.rates + self.provider_budgets

    @property
    def hard(self) -> Bound | None:
        """A budget that refuses; then what an attempt may cost must be bounded."""
        return next((b for b in self.budgets + self.provider_budgets if b.enforced), None)

    def place(self, asking: Asker, *, waits: bool) -> Place:
        """In the provider's group. Who `waits` will ask again when its limits refuse."""
        group, user = self.group, asking.caller.user
        who = f"{RANK[asking.priority]}:{self.app}"
        turn = Turn(WAITING, TURNS, who, self.weight, waits)
        if not self.users.budgets:
            return Place(group, self.bare.keys, (), turn, high=True)
        digest = user_digest(self.scope_key, user)
        keys = (*self.bare.keys, *self.users.names(group, digest))
        subject = self.users.subject(digest, self.max_subjects)
        return Place(group, keys, (subject,), turn, high=True, user=user)


def caller_bounds(config: SidecarConfig, policy: Policy, scope_key: bytes) -> CallerBounds:
    limits = plan_limits(policy.limits, policy.id)
    free = limits[-1].first + limits[-1].length if limits else FIRST_FREE_KEY
    return CallerBounds(
        Group.of_namespace(config.cluster, config.namespace),
        policy,
        limits,
        plan_users([b for b in config.budgets if not b.provider_wide], free),
        tuple(bound for limit in limits for bound in _caller_limit(limit)),
        scope_key,
    )


def candidate_bounds(
    config: SidecarConfig, caller: CallerBounds, pod: Pod, candidate: Candidate
) -> CandidateBounds:
    provider, model = candidate.provider, candidate.model
    wide = [b for b in config.budgets if b.provider_wide and provider.id in b.providers]
    users = plan_users(wide, TURNS + 1)
    binding = [b for b in config.budgets if _binds(b, candidate, pod)]
    own = [b for b in binding if not b.provider_wide]
    price, why = _price(candidate)
    group = Group.of_provider(config.cluster, provider.id)
    return CandidateBounds(
        label=candidate.label,
        model=model,
        provider_type=provider.type,
        group=group,
        bare=_bare_place(group, model),
        users=users,
        rates=tuple(_rates(candidate)),
        budgets=tuple(_money(own, caller.users, candidate)),
        provider_budgets=tuple(_money([b for b in binding if b.provider_wide], users, candidate)),
        price=price,
        price_unknown=why,
        sidecars=provider.sidecars,
        app=f"{pod.namespace}/{pod.app}",
        weight=max((limit.weight for limit in caller.policy.limits), default=1),
        max_subjects=caller.policy.identity.max_subjects,
        scope_key=caller.scope_key,
    )


def _bare_place(group: Group, model: Model) -> Place:
    slots = group.slots("provider"), group.slots(f"model:{model.name}")
    return Place(group, (*slots, group.waiting, group.turns))


def user_digest(scope_key: bytes, user: str) -> str:
    """Of whom budgets are about: the same user for all policies of the namespace."""
    return subject_digest(scope_key, "user", user)


def _caller_limit(keys: LimitKeys) -> Iterator[Bound]:
    limit = keys.limit
    yield from rate_bounds(
        f"limit {limit.name}",
        limit.limits,
        Counters(keys.first, keys.first + 1),
        enforced=not limit.shadow,
        reserved_percent=limit.reserved_percent,
        queue=limit.queue if limit.on_exceeded == "Queue" else None,
    )


def _rates(candidate: Candidate) -> Iterator[Bound]:
    provider, model = candidate.provider, candidate.model
    of_provider = Counters(STATE_KEY, PROVIDER_SLOTS)
    of_model = Counters(STATE_KEY, MODEL_SLOTS, f"model:{model.name}:")
    yield from rate_bounds(f"provider {provider.id}", provider.limits, of_provider, enforced=True)
    yield from rate_bounds(f"model {candidate.label}", model.limits, of_model, enforced=True)


def _binds(budget: Budget, candidate: Candidate, pod: Pod) -> bool:
    """All that the scope names must hold. A provider's own budget knows no pods of others."""
    return (
        (budget.provider_wide or matches(budget.selector, pod.labels))
        and (not budget.tiers or candidate.tier_id in budget.tiers)
        and (not budget.providers or candidate.provider.id in budget.providers)
    )


def _money(budgets: list[Budget], users: UserKeys, candidate: Candidate) -> Iterator[Bound]:
    for budget in budgets:
        percent = _percent(budget, candidate)
        yield from budget_bounds(budget, percent)
        if budget in users.budgets:
            yield from user_bounds(budget, users.first, users.spenders(budget), percent)


def _percent(budget: Budget, candidate: Candidate) -> int:
    """Of the amounts, what this candidate may use: all but the last part is for everybody."""
    down = budget.downgrade if budget.on_exceeded == "Downgrade" else None
    return 100 if down is None or down.tier == candidate.tier_id else down.at_percent


def _price(candidate: Candidate) -> tuple[Price | None, str]:
    try:
        return price_of(candidate.provider, candidate.model), ""
    except PriceUnknown as error:
        return None, str(error)
