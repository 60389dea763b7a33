"""One request, tier after tier, until one of its candidates serves."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from penstock_config.tier import Tier
from penstock_sidecar.attempts.course import Course
from penstock_sidecar.attempts.lane import Lane
from penstock_sidecar.attempts.race import Race
from penstock_sidecar.attempts.state import State
from penstock_sidecar.model import Candidate
from penstock_sidecar.verdict import downgrades, saturated


@dataclass(slots=True)
class Serving:
    """Serves once."""

    state: State

    async def serve(self, candidates: Sequence[Candidate]) -> None:
        """Answer by the first candidate that can, or raise why none could."""
        state, failures = self.state, self.state.failures
        state.means.retries.earn()
        for tier_id, own in groupby(candidates, key=attrgetter("tier_id")):
            tier, first = state.means.router.tier(tier_id), len(failures)
            if await self._served_by_tier(tier, tuple(own)):
                return
            if tier.when_saturated != "Fallback" and saturated(failures[first:]):
                if tier.when_saturated == "Queue" and await self._waited_for(tier, first):
                    return
                break
        for tier_id in downgrades(failures):
            if await Lane.alone(state).served_by_any(self._downgraded(tier_id)):
                return
        raise state.verdict()

    async def _served_by_tier(self, tier: Tier, own: Sequence[Candidate]) -> bool:
        course = Course(own, self.state.windows)
        if tier.hedge and len(own) > 1:
            return await Race(self.state, course, tier, tier.hedge).served()
        return await Lane.alone(self.state).served_by_any(course)

    async def _waited_for(self, tier: Tier, first: int) -> bool:
        """Whether the candidate that has room first served, after its queue. `first` is the place
        of the tier's own failures."""
        candidate = self.state.waits_for(self.state.failures[first:], tier)
        if candidate is None:
            return False
        return await Lane.alone(self.state).served_by(candidate, wait_for=tier)

    def _downgraded(self, tier_id: str) -> Course:
        state = self.state
        progress, tokens = state.progress, state.ticket.input_tokens
        found = progress.classification
        cheaper = state.means.router.downgraded(tier_id, progress.request, tokens, found)
        return Course(cheaper, state.windows)
