"""What the attempts of one request share."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from penstock_config.policy import Retry
from penstock_config.tier import Tier
from penstock_sidecar.attempts.course import Windows
from penstock_sidecar.attempts.deadline import Deadline
from penstock_sidecar.attempts.means import Means
from penstock_sidecar.attempts.relay import Relay
from penstock_sidecar.errors import (
    EmptyCompletion,
    SidecarError,
    UpstreamContextTooLong,
    UpstreamStarting,
    UpstreamTooLate,
)
from penstock_sidecar.limits.limiter import Attempt, Ticket
from penstock_sidecar.model import Answer, Candidate
from penstock_sidecar.progress import Progress
from penstock_sidecar.upstream.retry import backoff_seconds
from penstock_sidecar.verdict import Failure, in_our_books, soonest, verdict

LEFT: Final = "the caller has left"


@dataclass(slots=True)
class State:
    """`retry` is the policy's, or the rule's own."""

    means: Means
    ticket: Ticket
    progress: Progress
    relay: Relay
    deadline: Deadline
    retry: Retry
    windows: Windows = field(default_factory=Windows)
    failures: list[Failure] = field(default_factory=list)
    out_of_time: bool = False
    """Something was cut, or not begun, because it would not have ended in time."""

    def in_time(self, seconds: float = 0) -> bool:
        """Whether what begins after so many seconds may still end in time."""
        allowed = self.deadline.allows(seconds, asyncio.get_running_loop().time())
        self.out_of_time = self.out_of_time or not allowed
        return allowed

    def failed(self, candidate: Candidate, error: SidecarError) -> None:
        self.failures.append(Failure(candidate, error))
        self.out_of_time = self.out_of_time or isinstance(error, UpstreamTooLate)
        if isinstance(error, UpstreamContextTooLong):
            self.windows.refused(candidate)

    def retry_seconds(self, tries: int, error: SidecarError, *, nudged: bool) -> float | None:
        """How long to wait before the same candidate is asked again; `None` for not at all.
        `nudged`: it was with a changed prompt that it failed."""
        if nudged and isinstance(error, EmptyCompletion):
            return None
        seconds = backoff_seconds(self.retry, tries, error, self.means.random)
        if seconds is None or not self.in_time(seconds) or not self.means.retries.spend():
            return None
        return seconds

    def waits_for(
        self, failures: Sequence[Failure], tier: Tier, until: float = math.inf
    ) -> Candidate | None:
        """Who of them is to be asked again in the tier's queue; None where nobody will have room in
        time. `until` is on the loop's clock."""
        now = asyncio.get_running_loop().time()
        most_seconds = min(tier.queue.max_wait_seconds, min(self.deadline.at, until) - now)
        failure = soonest(failures, most_seconds)
        if failure is None:
            return None
        seconds = failure.error.retry_after_seconds
        if seconds is not None and not in_our_books(failure.error):
            self.ticket.hold_off(failure.candidate, now + seconds)
        return failure.candidate

    def answered_by(self, candidate: Candidate, attempt: Attempt, answer: Answer) -> None:
        """It has content: whatever comes now, this is who serves."""
        progress = self.progress
        self.ticket.answered_by(attempt)
        self.relay.reply.outlast(candidate.provider.drain_seconds)
        progress.first_content = progress.clock.monotonic() - progress.started
        progress.candidate = candidate
        progress.provider_headers = answer.headers
        progress.limit_headers = self.ticket.headers

    def verdict(self) -> SidecarError:
        """Why nobody could serve. Of a fleet that was waited for in vain, what it is doing says
        more than that time is over."""
        if self.out_of_time:
            for failure in self.failures:
                if isinstance(failure.error, UpstreamStarting):
                    return failure.error
            return self.deadline.error(self.failures)
        return verdict(self.failures)
