"""What a caller is told about limits: headers, and how long to wait (gateways.md, 2a)."""

from collections.abc import Iterable
from random import Random
from typing import Final

from penstock_sidecar.limits.holds import Standing
from penstock_sidecar.metering.cost import usd

JITTER: Final = 0.15
"""Waits are told up to this much longer, never shorter: clients do not come back in step."""
NAMED: Final = ("requests", "tokens")


def limit_headers(standings: Iterable[Standing]) -> dict[str, str]:
    """`x-ratelimit-*` of the tightest enforced limit on requests, and of that on tokens; what is
    left of the budget that has least, this request's reservation taken off."""
    rates = [s for s in standings if s.bound.enforced]
    headers = {}
    money = min((s.remaining for s in rates if s.bound.what == "money"), default=None)
    if money is not None:
        headers["x-penstock-budget-remaining-usd"] = usd(max(0, money))
    for what in NAMED:
        tightest = min((s for s in rates if s.bound.what == what), key=_share_left, default=None)
        if tightest:
            headers[f"x-ratelimit-limit-{what}"] = str(tightest.limit)
            headers[f"x-ratelimit-remaining-{what}"] = str(max(0, tightest.remaining))
            headers[f"x-ratelimit-reset-{what}"] = go_duration(tightest.reset_seconds or 0)
    return headers


def go_duration(seconds: float) -> str:
    """As Go's `time.Duration` prints it, which is what clients parse: `12ms`, `1s`, `6m0s`."""
    milliseconds = round(seconds * 1000)
    if seconds < 1:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest / 1000:g}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


def with_jitter(seconds: float, random: Random) -> float:
    """Longer by up to 15 %."""
    return seconds * (1 + JITTER * random.random())


def _share_left(standing: Standing) -> float:
    return standing.remaining / max(1, standing.limit)
