"""Who is asked last: who fails, is not there, or would surely be refused. Nobody is left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.fleet import Fleets
from penstock_sidecar.health.breaker import CLOSED
from penstock_sidecar.health.breakers import Breakers
from penstock_sidecar.model import Candidate
from penstock_sidecar.routing.asked import Asked
from penstock_sidecar.routing.drops import Drop, Reason
from penstock_sidecar.routing.room import Lacking, Room

LACKING: Final[Mapping[Lacking, str]] = {
    "headroom": "has no room for it within its provider's limits",
    "budget": "costs more than a budget has left",
}
COOLING: Final = "has failed lately"
BEHIND_ALL: Final[frozenset[Reason]] = frozenset({"cooling", "unready", "cold"})


@dataclass(frozen=True, slots=True)
class Setbacks:
    """Health, limits and budgets, as far as they are known here."""

    breakers: Breakers
    room: Room
    fleets: Fleets | None = None
    """Where the operator runs a provider."""

    def of(self, candidate: Candidate, asked: Asked) -> Drop | None:
        """The first that there is."""
        request = asked.request
        if self.fleets and (trouble := self.fleets.trouble(candidate)):
            return Drop(candidate.label, trouble.reason, trouble.kind, last=True)
        state = self.breakers.state(candidate, request.api)
        if state is not CLOSED and state.out:  # most are, and that is seen without a call
            return Drop(candidate.label, COOLING, "cooling", last=True)
        kind = self.room.lacking(candidate, request, asked.input_tokens)
        return None if kind is None else Drop(candidate.label, LACKING[kind], kind, last=True)

    def out_until(self, candidate: Candidate, asked: Asked) -> float:
        """When its breaker may close, on the process's clock; 0 where it is not open."""
        return self.breakers.state(candidate, asked.request.api).until


def distance(setback: Drop) -> tuple[bool, int]:
    """How far back: behind all tiers, or behind its tier's others. A tier that is saturated
    must be asked all the same: it may wait, or refuse, where others would go on."""
    return setback.kind in BEHIND_ALL, 2 if setback.kind == "budget" else 1
