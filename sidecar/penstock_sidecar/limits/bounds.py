"""One thing that may not be exceeded, prepared once: what it is to people, and to the scripts."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal

from penstock_config.budget import Amounts, Budget
from penstock_config.layout import budget_field
from penstock_config.periods import Calendar, Period
from penstock_config.provider import RateLimits
from penstock_config.queue import Queue
from penstock_sidecar.clock import MICROSECONDS
from penstock_sidecar.store import Argument

What = Literal["requests", "tokens", "slots", "money"]
BUCKETS: Final = 60
"""Of a window: one bucket is a second of a minute. The scripts' SPAN."""
STATE_KEY: Final = 1
"""KEYS[1]."""
PERIODS: Final[tuple[Period, ...]] = ("daily", "weekly", "monthly", "total")
_UNITS: Final = {"requests": "r", "tokens": "t", "slots": "c", "money": "m"}
_ALL: Final = 100


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit or a budget's period. `head` is its part of ARGV up to the amount."""

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
    pacing: tuple[Argument, ...] = ()
    """What follows the cost of a window, or of a smooth limit."""
    window_seconds: float = 0
    calendar: Calendar | None = None
    budget: Budget | None = None
    spenders: int = 0
    """Place in KEYS of the list of users by what they spent; 0 for none."""
    percent: int = _ALL
    """How much of the amount there is for whom this bound was made."""
    reserved_percent: int = 0
    """Kept from all but requests of high priority."""
    queue: Queue | None = None

    def limit(self, utc: float, *, high: bool = True) -> int:
        """The amount at this moment: with a boost, less what is kept for others."""
        boost = self.budget.boost if self.budget else None
        amount = self.amount + (boost.amount if boost and utc < boost.until else 0)
        percent = self.percent if high else self.percent - self.reserved_percent
        return amount if percent == _ALL else amount * max(0, percent) // _ALL

    def cost(self, tokens: int, micro_usd: int, requests: int = 1) -> int:
        """One reservation takes at most half of what there is of a token limit for everybody, lest
        it starve all others, or never fit."""
        match self.what:
            case "tokens":
                common = self.amount * (_ALL - self.reserved_percent) // _ALL
                return min(tokens, max(1, common // 2))
            case "money":
                return micro_usd
            case "requests":
                return requests
            case "slots":
                return 1

    def tail(self, utc: float) -> tuple[Argument, ...]:
        """What follows the cost in ARGV."""
        return self.calendar.arguments(utc) if self.calendar else self.pacing


@dataclass(frozen=True, slots=True)
class Place:
    """Where the counters of a set of limits live: indexes in KEYS, and how their fields begin."""

    counters: int
    slots: int
    prefix: str = ""


def bucket_us(window_seconds: float) -> int:
    """Rounded up, so that sixty of them are never less than the window."""
    return ceil(window_seconds * MICROSECONDS / BUCKETS)


def smooth(amount: int, window_seconds: float) -> tuple[int, int, int]:
    """Interval in ns, tolerance and horizon in us: what one bucket may hold comes at once."""
    interval_ns = ceil(window_seconds * MICROSECONDS * 1000 / amount)
    tolerance_us = max(0, bucket_us(window_seconds) - ceil(interval_ns / 1000))
    return interval_ns, tolerance_us, ceil(window_seconds * MICROSECONDS)


def rate_bounds(
    name: str,
    limits: RateLimits,
    place: Place,
    *,
    enforced: bool,
    reserved_percent: int = 0,
    queue: Queue | None = None,
) -> Iterator[Bound]:
    """Those that are set. The length of a window is part of its field: buckets do not mix."""
    seconds = limits.window_seconds
    window = "g" if limits.pacing == "Smooth" else "w"
    letters = ("rps", "tps") if limits.pacing == "Smooth" else ("rpm", "tpm")
    day = Calendar("daily")
    table: tuple[tuple[str, What, str, int | None], ...] = (
        (window, "requests", f"{letters[0]}{seconds:g}", limits.requests_per_minute),
        (window, "tokens", f"{letters[1]}{seconds:g}", limits.tokens_per_minute),
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
                per={"w": "minute", "g": "minute", "d": "day", "c": ""}[kind],
                amount=amount,
                enforced=enforced,
                key=key,
                field=field_name,
                head=(kind, _UNITS[what], key, field_name),
                pacing=_pacing(kind, amount, seconds),
                window_seconds=seconds if kind in {"w", "g"} else 0,
                calendar=day if kind == "d" else None,
                reserved_percent=reserved_percent,
                queue=queue,
            )


def _pacing(kind: str, amount: int, seconds: float) -> tuple[Argument, ...]:
    match kind:
        case "w":
            return (bucket_us(seconds),)
        case "g":
            return smooth(amount, seconds)
        case _:
            return ()


def budget_bounds(budget: Budget, percent: int = _ALL) -> Iterator[Bound]:
    """One for each period that has an amount, for all together."""
    yield from _money(budget, budget.limits, STATE_KEY, 0, percent)


def user_bounds(budget: Budget, key: int, spenders: int, percent: int = _ALL) -> Iterator[Bound]:
    """One for each period that has an amount for each user; the longest lists who spent most."""
    yield from _money(budget, budget.per_user, key, spenders, percent)


def _money(
    budget: Budget, amounts: Amounts, key: int, spenders: int, percent: int
) -> Iterator[Bound]:
    given = [(period, getattr(amounts, period)) for period in PERIODS]
    listed = [(period, amount) for period, amount in given if amount is not None]
    for period, amount in listed:
        field = budget_field(budget.id, period)
        yield Bound(
            name=f"budget {budget.id}",
            what="money",
            per=period if key == STATE_KEY else f"{period}, per user",
            amount=amount,
            enforced=budget.on_exceeded != "Warn",
            key=key,
            field=field,
            head=("m", _UNITS["money"], key, field),
            calendar=Calendar(period, budget.time_zone),
            budget=budget,
            spenders=spenders if period == listed[-1][0] else 0,
            percent=percent,
        )
