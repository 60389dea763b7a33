"""From a tier's configuration to its strategy."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from penstock_config.tier import Strategy as StrategyName
from penstock_config.tier import Tier
from penstock_sidecar.fleet import Fleets
from penstock_sidecar.routing.busy import UnderWay
from penstock_sidecar.routing.estimates import Estimates
from penstock_sidecar.routing.latencies import Waits
from penstock_sidecar.routing.replicas import LoadingTimes, Seats
from penstock_sidecar.routing.room import Room
from penstock_sidecar.routing.seen import Seen
from penstock_sidecar.routing.strategies.adaptive import Adaptive
from penstock_sidecar.routing.strategies.base import Strategy
from penstock_sidecar.routing.strategies.least_busy import LeastBusy
from penstock_sidecar.routing.strategies.least_cost import LeastCost
from penstock_sidecar.routing.strategies.least_latency import LeastLatency
from penstock_sidecar.routing.strategies.most_headroom import MostHeadroom
from penstock_sidecar.routing.strategies.round_robin import RoundRobin
from penstock_sidecar.routing.strategies.weighted import Weighted


@dataclass(frozen=True, slots=True)
class Known:
    """What strategies may go by."""

    estimates: Estimates
    seen: Seen
    room: Room
    random: Random
    fleets: Fleets | None = None
    """Where the operator runs a provider."""

    @property
    def waits(self) -> Waits:
        latencies = self.seen.latencies
        return LoadingTimes(latencies, self.fleets) if self.fleets else latencies

    @property
    def under_way(self) -> UnderWay:
        return Seats(self.seen.busy, self.fleets) if self.fleets else self.seen.busy


def strategy_of(tier: Tier, known: Known) -> Strategy:
    return _STRATEGIES[tier.strategy](known)


_STRATEGIES: Final[Mapping[StrategyName, Callable[[Known], Strategy]]] = {
    "Weighted": lambda known: Weighted(known.random),
    "RoundRobin": lambda known: RoundRobin(known.random),
    "LeastCost": lambda known: LeastCost(known.estimates, known.random),
    "LeastLatency": lambda known: LeastLatency(known.waits, known.under_way, known.random),
    "LeastBusy": lambda known: LeastBusy(known.under_way, known.random),
    "MostHeadroom": lambda known: MostHeadroom(known.room, known.random),
    "Adaptive": lambda known: Adaptive(
        known.seen.scores, known.estimates, known.random, known.fleets
    ),
}


WATCHING: Final = frozenset[StrategyName]({"LeastLatency", "LeastBusy", "MostHeadroom", "Adaptive"})


def watches(tiers: Iterable[Tier]) -> bool:
    """Whether anything goes by what attempts are like."""
    return any(
        tier.strategy in WATCHING or any(floor.max_latency_ms for floor in tier.floors)
        for tier in tiers
    )


def judges(tier: Tier) -> bool:
    """Whether it goes by what answers are like."""
    return tier.strategy == "Adaptive"
