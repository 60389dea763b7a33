"""What a tier demands of its candidates for requests of a complexity: quality, cost, latency.

For requests that ask for the tier: who names a model has chosen for himself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from penstock_config.classification import Complexity
from penstock_config.tier import Floor, Tier
from penstock_sidecar.errors import MalformedRequest, NoFit
from penstock_sidecar.metering.cost import usd
from penstock_sidecar.model import Candidate, Request
from penstock_sidecar.routing.asked import Asked
from penstock_sidecar.routing.drops import Drop, Sieved
from penstock_sidecar.routing.estimates import Estimates
from penstock_sidecar.routing.latencies import Waits

HEADER: Final = "x-penstock-max-latency-ms"
MAX_LATENCY_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Demand:
    """A floor and the caller's own wish, whichever is stricter."""

    min_quality: int | None = None
    max_micro_usd: int | None = None
    max_latency_ms: int | None = None


class Floors:
    """Of all tiers of a policy."""

    def __init__(self, tiers: Mapping[str, Tier], estimates: Estimates, latencies: Waits) -> None:
        self._floors: dict[tuple[str, Complexity], Floor] = {
            (id_, floor.complexity): floor for id_, tier in tiers.items() for floor in tier.floors
        }
        self._estimates = estimates
        self._latencies = latencies

    def sieved(self, candidates: tuple[Candidate, ...], asked: Asked, *, of_tier: bool) -> Sieved:
        """Who meets them; possibly nobody. Raises `MalformedRequest` for a header that is none."""
        wish = wished_latency_ms(asked.request)
        floors = self._floors if of_tier else {}
        if wish is None and not floors:
            return Sieved(candidates, ())
        demands = {
            id_: _demand(floors.get((id_, asked.complexity)), wish)
            for id_ in {c.tier_id for c in candidates}
        }
        drops = [d for c in candidates if (d := self._drop(c, asked, demands[c.tier_id]))]
        if not drops:
            return Sieved(candidates, ())
        below = {drop.candidate for drop in drops}
        return Sieved(tuple(c for c in candidates if c.label not in below), tuple(drops))

    def _drop(self, candidate: Candidate, asked: Asked, demand: Demand) -> Drop | None:
        return (
            self._too_dear(candidate, asked, demand.max_micro_usd)
            or self._too_slow(candidate, demand.max_latency_ms)
            or _too_bad(candidate, demand.min_quality)
        )

    def _too_dear(self, candidate: Candidate, asked: Asked, most: int | None) -> Drop | None:
        if most is None:
            return None
        cost = self._estimates.micro_usd(candidate, asked)
        if cost is None:
            return Drop(candidate.label, f"has no price, and ${usd(most)} is the most", "cost")
        if cost <= most:
            return None
        text = f"costs about ${usd(cost)}, more than ${usd(most)}"
        return Drop(candidate.label, text, "cost")

    def _too_slow(self, candidate: Candidate, most: int | None) -> Drop | None:
        ms = None if most is None else self._latencies.ms(candidate, stream=True)
        if most is None or ms is None or ms <= most:
            return None
        text = f"takes about {ms:.0f} ms to its first token, more than {most} ms"
        return Drop(candidate.label, text, "latency")


def nobody_fits(drops: Sequence[Drop]) -> NoFit:
    """The refusal of a tier that rejects; names who lacks what."""
    reasons = "; ".join(f"{drop.candidate} {drop.reason}" for drop in drops)
    return NoFit(
        f"no model meets what is demanded for this request: {reasons}. Ask for another tier or"
        " model, or let the tier's `onNoFit` be Cheapest"
    )


def wished_latency_ms(request: Request) -> int | None:
    """What the caller's header says; raises `MalformedRequest`."""
    text = request.headers.get(HEADER)
    if text is None:
        return None
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit() and 0 < len(stripped) <= len(str(MAX_LATENCY_MS)):
        ms = int(stripped)
        if 1 <= ms <= MAX_LATENCY_MS:
            return ms
    msg = f"the header {HEADER} must be a whole number from 1 to {MAX_LATENCY_MS}"
    raise MalformedRequest(msg, param=HEADER)


def _demand(floor: Floor | None, wish: int | None) -> Demand:
    if floor is None:
        return Demand(max_latency_ms=wish)
    latencies = [ms for ms in (floor.max_latency_ms, wish) if ms is not None]
    return Demand(floor.min_quality, floor.max_cost, min(latencies, default=None))


def _too_bad(candidate: Candidate, least: int | None) -> Drop | None:
    quality = candidate.model.quality
    if least is None or (quality is not None and quality >= least):
        return None
    known = "unknown" if quality is None else f"{quality / 10:.1f}"
    return Drop(candidate.label, f"has quality {known}, less than {least / 10:.1f}", "quality")
