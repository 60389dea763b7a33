"""One thing that may not be exceeded, prepared once: what it is to people, and to the scripts."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal

from penstock_config.budget import Budget
from penstock_config.periods import Calendar, Period
from penstock_config.provider import RateLimits
from penstock_sidecar.store import Argument

What = Literal["requests", "tokens", "slots", "money"]
BUCKETS: Final = 60
"""Of a window: one bucket is a second of a minute. The scripts' SPAN."""
STATE_KEY: Final = 1
"""KEYS[1]."""
_UNITS: Final = {"requests": "r", "tokens": "t", "slots": "c", "money": "m"}


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit or a budget's period. `head` is its part of ARGV up to the cost."""

    name: str
    """For people: `limit per-app`, `provider ml/openai`, `budget ml/team`."""
    what: What
    per: str
    """`minute`, `day`, or a budget's period; empty for slots."""
    amount: int
    enforced: bool
    """False counts and reports only: a shadow limit, a budget that warns."""
    key: int
    """Its place in KEYS."""
    field: str
    head: tuple[Argument, ...]
    window_seconds: float = 0
    calendar: Calendar | None = None
    budget: Budget | None = None

    def cost(self, tokens: int, micro_usd: int) -> int:
        """One reservation takes at most half of a token limit, lest it starve all others."""
        match self.what:
            case "tokens":
                return min(tokens, max(1, self.amount // 2))
            case "money":
                return micro_usd
            case _:
                return 1

    def tail(self, utc: float) -> tuple[Argument, ...]:
        """What follows the cost in ARGV."""
        if self.calendar:
            return self.calendar.arguments(utc)
        return (bucket_us(self.window_seconds),) if self.window_seconds else ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the counters of a set of limits live: indexes in KEYS, and how their fields begin."""

    counters: int
    slots: int
    prefix: str = ""


def bucket_us(window_seconds: float) -> int:
    """Rounded up, so that sixty of them are never less than the window."""
    return ceil(window_seconds * 1_000_000 / BUCKETS)


def rate_bounds(name: str, limits: RateLimits, place: Place, *, enforced: bool) -> Iterator[Bound]:
    """Those that are set. The length of a window is part of its field: buckets do not mix."""
    seconds = limits.window_seconds
    day = Calendar("daily")
    table: tuple[tuple[str, What, str, int | None], ...] = (
        ("w", "requests", f"rpm{seconds:g}", limits.requests_per_minute),
        ("w", "tokens", f"tpm{seconds:g}", limits.tokens_per_minute),
        ("d", "requests", "rpd", limits.requests_per_day),
        ("d", "tokens", "tpd", limits.tokens_per_day),
        ("c", "slots", "", limits.concurrent_requests),
    )
    for kind, what, field, amount in table:
        if amount is not None:
            key = place.slots if kind == "c" else place.counters
            field_name = place.prefix + field
            yield Bound(
                name=name,
                what=what,
                per={"w": "minute", "d": "day", "c": ""}[kind],
                amount=amount,
                enforced=enforced,
                key=key,
                field=field_name,
                head=(kind, _UNITS[what], key, field_name, amount, int(enforced)),
                window_seconds=seconds if kind == "w" else 0,
                calendar=day if kind == "d" else None,
            )


def budget_bounds(budget: Budget) -> Iterator[Bound]:
    """One for each period that has an amount."""
    periods: tuple[Period, ...] = ("daily", "weekly", "monthly", "total")
    enforced = budget.on_exceeded == "Reject"
    for period in periods:
        amount = getattr(budget.limits, period)
        if amount is not None:
            field = f"budget:{budget.id}:{period}"
            yield Bound(
                name=f"budget {budget.id}",
                what="money",
                per=period,
                amount=amount,
                enforced=enforced,
                key=STATE_KEY,
                field=field,
                head=("m", _UNITS["money"], STATE_KEY, field, amount, int(enforced)),
                calendar=Calendar(period, budget.time_zone),
                budget=budget,
            )
