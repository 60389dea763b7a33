"""In which order candidates are asked: tier by tier, by priority, then by the strategy."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penstock_config.tier import Tier
from penstock_sidecar.model import Candidate
from penstock_sidecar.routing.asked import Asked
from penstock_sidecar.routing.drops import Drop
from penstock_sidecar.routing.setbacks import Setbacks, distance
from penstock_sidecar.routing.strategies.base import Strategy

Place = tuple[int, int, int, bool]
"""The tier's rank; how far back in it; priority; whether weight is 0."""


@dataclass(frozen=True, slots=True)
class Order:
    """Of one policy."""

    strategies: Mapping[str, Strategy]
    """By tier."""
    setbacks: Setbacks
    by_priority: bool = True

    def ordered(
        self, candidates: tuple[Candidate, ...], asked: Asked
    ) -> tuple[tuple[Candidate, ...], tuple[Drop, ...]]:
        """All of them, and who comes late for what."""
        ranks = _ranks(candidates)
        groups: defaultdict[Place, list[Candidate]] = defaultdict(list)
        out: list[Candidate] = []
        setbacks = []
        for candidate in candidates:
            back = 0
            if setback := self.setbacks.of(candidate, asked):
                setbacks.append(setback)
                behind_all, back = distance(setback)
                if behind_all:
                    out.append(candidate)
                    continue
            priority = candidate.priority if self.by_priority else 0
            place = ranks[candidate.tier_id], back, priority, not candidate.weight
            groups[place].append(candidate)
        ordered: list[Candidate] = []
        for place in sorted(groups):
            group = groups[place]
            ordered += self.strategies[group[0].tier_id].ranked(group, asked)
        ordered += sorted(out, key=lambda each: self.setbacks.out_until(each, asked))
        return tuple(ordered), tuple(setbacks)

    def score(self, candidate: Candidate, asked: Asked) -> float | None:
        """What its tier's strategy goes by."""
        return self.strategies[candidate.tier_id].score(candidate, asked)


def _ranks(candidates: Sequence[Candidate]) -> Mapping[str, int]:
    tiers = dict.fromkeys(candidate.tier_id for candidate in candidates)
    return {tier_id: rank for rank, tier_id in enumerate(tiers)}


def all_by(strategy: Strategy, tiers: Mapping[str, Tier]) -> Mapping[str, Strategy]:
    """One for all tiers."""
    return dict.fromkeys(tiers, strategy)
