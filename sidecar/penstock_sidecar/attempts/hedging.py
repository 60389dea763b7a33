"""When a second candidate is asked before the first has content, and how many requests may have
one: for all requests of a policy in this sidecar."""

from collections.abc import Iterable, Sequence
from typing import Final

from penstock_config.tier import Hedge, Tier
from penstock_sidecar.attempts.ration import Ration
from penstock_sidecar.attempts.times import FirstContentTimes, Name
from penstock_sidecar.clock import Clock
from penstock_sidecar.limits.holds import Standing

SAVED_REQUESTS: Final = 100
"""So many requests' worth of extras may come at once."""
AT_ONCE: Final = 0.0


class Hedging:
    """Rations are per tier; `times` outlives this."""

    def __init__(self, tiers: Iterable[Tier], times: FirstContentTimes, clock: Clock) -> None:
        self._times = times
        self._rations = {tier.id: _ration(tier.hedge, clock) for tier in tiers if tier.hedge}

    def begun(self, tier: Tier) -> None:
        """One more request of the tier."""
        self._rations[tier.id].earn()

    def spend(self, tier: Tier) -> bool:
        """Whether one more second attempt may be made; it counts then."""
        return self._rations[tier.id].spend()

    def give_back(self, tier: Tier) -> None:
        self._rations[tier.id].give_back()

    def took(self, hedge: Hedge, name: Name, seconds: float) -> None:
        """Until the first content of a candidate, or until it was cut."""
        if hedge.after_percentile is not None:
            self._times.add(name, seconds)

    def delay_seconds(
        self, hedge: Hedge, name: Name, standings: Sequence[Standing]
    ) -> float | None:
        """From when the first was asked; `None` while nobody can say. `standings` are of its
        limits, now that it is admitted."""
        least = hedge.when_headroom_below_percent
        if least is not None and headroom_percent(standings) < least:
            return AT_ONCE
        if hedge.after_percentile is not None:
            return self._times.percentile(name, hedge.after_percentile)
        return None if hedge.after_ms is None else hedge.after_ms / 1000


def headroom_percent(standings: Sequence[Standing]) -> float:
    """What is left of the tightest limit of a provider; 100 where there is none."""
    shares = (
        100 * max(0, s.remaining) / max(1, s.limit)
        for s in standings
        if s.bound.enforced and s.bound.what != "money"
    )
    return min(shares, default=100.0)


def _ration(hedge: Hedge, clock: Clock) -> Ration:
    most = max(1, hedge.max_extra_percent * SAVED_REQUESTS // 100)
    return Ration(hedge.max_extra_percent, most, clock)
