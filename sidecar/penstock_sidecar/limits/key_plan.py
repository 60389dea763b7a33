"""Which place in KEYS each counter of a group has: the same for every call of a configuration."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from penstock_config.budget import Budget
from penstock_config.layout import Group
from penstock_config.policy import CallerLimit
from penstock_config.provider import RateLimits
from penstock_sidecar.limits.bounds import PERIODS
from penstock_sidecar.limits.holds import Subject

FIRST_FREE_KEY: Final = 4
"""KEYS[1] to [3] are the group's own."""
DAY_US: Final = 86_400_000_000
PERIOD_DAYS: Final = {"daily": 3, "weekly": 16, "monthly": 64, "total": 400}
"""So long is a user known who spends no more: the period and the one after it."""
SHARED: Final = "shared"
"""Digest of what subjects beyond the most have in common; real ones are hexadecimal."""


@dataclass(frozen=True, slots=True)
class LimitKeys:
    """Where a caller limit's counters begin. A limit that tells people apart has five keys: its
    counters and slots, those that further people share, and who is told apart."""

    limit: CallerLimit
    policy_id: str
    first: int

    @property
    def tells_apart(self) -> bool:
        return self.limit.per in {"User", "Header"}

    @property
    def length(self) -> int:
        return 5 if self.tells_apart else 2

    def names(self, group: Group, digest: str) -> tuple[str, ...]:
        own = group.subject(digest), group.slots(digest)
        if not self.tells_apart:
            return own
        name = f"{self.policy_id}/{self.limit.name}"
        shared = f"{SHARED}:{name}"
        return *own, group.subject(shared), group.slots(shared), group.subjects(name)

    def subject(self, digest: str, most: int) -> Subject:
        life_us = _life_us(self.limit.limits)
        return Subject(self.first + 4, digest, most, life_us, self.first, keys=2, distance=2)


@dataclass(frozen=True, slots=True)
class UserKeys:
    """Where users' own budgets are: the user's hash, the one that further users share, who is told
    apart, and a list of spenders for each budget."""

    first: int
    budgets: tuple[Budget, ...]
    _shared: str = field(default=f"{SHARED}:budgets")

    def names(self, group: Group, digest: str) -> tuple[str, ...]:
        if not self.budgets:
            return ()
        return (
            group.user(digest),
            group.user(self._shared),
            group.subjects("budgets"),
            *(group.spenders(budget.id) for budget in self.budgets),
        )

    def spenders(self, budget: Budget) -> int:
        return self.first + 3 + self.budgets.index(budget)

    def subject(self, digest: str, most: int) -> Subject:
        days = max(_days(budget) for budget in self.budgets)
        return Subject(self.first + 2, digest, most, days * DAY_US, self.first, keys=1, distance=1)


def plan_limits(limits: Sequence[CallerLimit], policy_id: str) -> tuple[LimitKeys, ...]:
    """One after the other."""
    plans: list[LimitKeys] = []
    for limit in limits:
        first = plans[-1].first + plans[-1].length if plans else FIRST_FREE_KEY
        plans.append(LimitKeys(limit, policy_id, first))
    return tuple(plans)


def plan_users(budgets: Sequence[Budget], first: int) -> UserKeys:
    """Of those that bind users by themselves."""
    return UserKeys(first, tuple(b for b in budgets if _days(b)))


def _days(budget: Budget) -> int:
    amounts = budget.per_user
    return max((PERIOD_DAYS[p] for p in PERIODS if getattr(amounts, p) is not None), default=0)


def _life_us(limits: RateLimits) -> int:
    """Twice the longest period: what is older counts for nothing."""
    if limits.requests_per_day or limits.tokens_per_day:
        return 2 * DAY_US
    return round(2_000_000 * limits.window_seconds) + 1_000_000
