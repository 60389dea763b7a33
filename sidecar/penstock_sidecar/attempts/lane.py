"""Candidates one after the other until one serves, each as often as that makes sense."""

import asyncio
from dataclasses import dataclass

from penstock_config.tier import Tier
from penstock_sidecar.attempts.course import Course
from penstock_sidecar.attempts.single import Nobody, Others, Single
from penstock_sidecar.attempts.state import LEFT, State
from penstock_sidecar.errors import EmptyCompletion, SidecarError
from penstock_sidecar.model import Candidate


@dataclass(slots=True)
class Lane:
    """Raises what no other candidate would change, and what breaks after the first content."""

    state: State
    others: Others

    @classmethod
    def alone(cls, state: State) -> "Lane":
        return cls(state, Nobody())

    async def served_by_any(self, course: Course) -> bool:
        while self.state.in_time() and (candidate := course.take()):
            self.state.progress.candidates_tried += 1
            if await self.served_by(candidate):
                return True
        return False

    async def served_by(self, candidate: Candidate, wait_for: Tier | None = None) -> bool:
        nudge = False
        tries = 0
        while self.state.in_time():
            tries += 1
            try:
                await Single(self.state, candidate, self.others, wait_for, nudge).serve()
            except SidecarError as error:
                seconds = self._retry_seconds(candidate, tries, error, nudged=nudge)
                nudge = isinstance(error, EmptyCompletion) and not self._embeds
            else:
                return True
            if seconds is None:
                return False
            await asyncio.sleep(seconds)
            self.state.progress.retries += 1
        return False

    @property
    def _embeds(self) -> bool:
        return self.state.progress.request.embeds

    def _retry_seconds(
        self, candidate: Candidate, tries: int, error: SidecarError, *, nudged: bool
    ) -> float | None:
        """Raises `error` where that is the end of the request."""
        relay = self.state.relay
        if relay.reply.left:
            raise ConnectionResetError(LEFT) from error
        if self.others.optional:
            return None
        if relay.begun or not error.next_candidate:
            raise error
        self.state.failed(candidate, error)
        if self.state.means.router.out(candidate, self.state.progress.request.api):
            return None
        return self.state.retry_seconds(tries, error, nudged=nudged)
