"""What routing goes by where the operator runs a provider: its replicas' load, and what they have
yet to load."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from penstock_sidecar.fleet import Fleets
from penstock_sidecar.model import Candidate
from penstock_sidecar.routing.busy import Busy
from penstock_sidecar.routing.drops import Drop
from penstock_sidecar.routing.latencies import Latencies


@dataclass(frozen=True, slots=True)
class LoadingTimes:
    """`Waits` that count the time to load a model which no replica has in memory."""

    latencies: Latencies
    fleets: Fleets

    def ms(self, candidate: Candidate, *, stream: bool) -> float | None:
        known = self.latencies.ms(candidate, stream=stream)
        load_seconds = self.fleets.load_seconds(candidate)
        return (known or 0.0) + load_seconds * 1000 if load_seconds else known


@dataclass(frozen=True, slots=True)
class Seats:
    """`UnderWay` at the replica that would answer, with those who wait for it."""

    busy: Busy
    fleets: Fleets

    def in_flight(self, candidate: Candidate) -> int:
        in_front = self.fleets.in_front(candidate)
        return self.busy.in_flight(candidate) if in_front is None else in_front


def missed(
    candidates: Sequence[Candidate],
    ordered: Sequence[Candidate],
    drops: Sequence[Drop],
    fleets: Fleets,
) -> Iterator[Candidate]:
    """Those that sleep, and were passed over for that alone: awake, they might have been asked
    before the one that is. `ordered` is not empty; `candidates` are in the order of their tiers."""
    ranks = {
        tier_id: rank for rank, tier_id in enumerate(dict.fromkeys(c.tier_id for c in candidates))
    }
    first = ordered[0]
    able = {c.label for c in ordered} | {drop.candidate for drop in drops if drop.kind == "latency"}

    def place(candidate: Candidate) -> tuple[int, int]:
        return ranks[candidate.tier_id], candidate.priority

    for each in candidates:
        may_serve = each is not first and each.label in able and each.weight
        if may_serve and place(each) <= place(first) and fleets.cold(each):
            yield each
