"""One request: its caller limits, and its attempts."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Self

from penstock_config.tier import Tier
from penstock_sidecar.limits.attempt import NO_BOUND, Attempt, Most
from penstock_sidecar.limits.binding import Asker, CandidateBounds
from penstock_sidecar.limits.caller_hold import CallerHold
from penstock_sidecar.limits.desk import Desk
from penstock_sidecar.limits.hints import limit_headers
from penstock_sidecar.limits.kept import KeptAnswer
from penstock_sidecar.metering.estimate import Input, estimate_input
from penstock_sidecar.model import Candidate, Request


class Ticket:
    """Enter around the whole request. The first attempt takes the caller's limits; leaving
    settles them, or gives them back where nobody served."""

    def __init__(  # what the limiter knows of a request
        self,
        desk: Desk,
        caller: CallerHold,
        asker: Asker,
        bounds_of: Callable[[Candidate], CandidateBounds],
    ) -> None:
        self._desk = desk
        self._caller = caller
        self._asker = asker
        self._bounds_of = bounds_of
        self._attempt: Attempt | None = None
        self.most: Most = NO_BOUND
        """Bounds of all attempts; set once it is known where the request goes."""
        self._not_before: dict[str, float] = {}

    @property
    def admitted(self) -> bool:
        """The caller's limits are taken: from now on attempts may be entered side by side."""
        return self._caller.admitted or not self._caller.bounds

    @property
    def input_tokens(self) -> int:
        """An estimate."""
        return self._asker.given.tokens

    def tokens_at(self, candidate: Candidate) -> int:
        """An estimate, by what this candidate has made of text so far."""
        return self._desk.memory.ratios.estimated(candidate.label, self._asker.given).tokens

    @property
    def headers(self) -> Mapping[str, str]:
        """What is left of the tightest limits: the caller's, and those of the last attempt."""
        of_attempt = self._attempt.standings if self._attempt else ()
        standings = self._caller.standings + of_attempt
        return limit_headers(standings) if standings else {}

    def attempt(
        self, candidate: Candidate, wait_for: Tier | None = None, *, added_bytes: int = 0
    ) -> Attempt:
        """With `wait_for` it waits where the provider's limits refuse, in the tier's queue.
        `added_bytes` are sent beside the caller's own."""
        given = self._asker.given
        if added_bytes:
            given = replace(given, most_tokens=given.most_tokens + added_bytes)
        self._attempt = self._attempt_at(candidate, self._asker, given, self.most, wait_for)
        self._attempt.not_before = self._not_before.get(candidate.label, 0.0)
        return self._attempt

    def hold_off(self, candidate: Candidate, until: float) -> None:
        """Its provider has said so: who waits for it in a queue does not ask it before then, on the
        loop's clock."""
        self._not_before[candidate.label] = until

    async def take_kept(self) -> None:
        """The cache has the answer, and the caller's limits count it. Raises what refuses."""
        await KeptAnswer(self._desk, self._caller).take(self.most.until)

    def answered_by(self, attempt: Attempt) -> None:
        """Of several side by side: `headers` tell of its limits from now on."""
        self._attempt = attempt

    def aside(self, candidate: Candidate, request: Request) -> Attempt:
        """An attempt for a request of our own, on behalf of the caller's: it takes the provider's
        limits and money of its own, and none of the caller's limits a second time. Only the time
        is bounded as the caller's is."""
        given = estimate_input(request)
        asker = replace(self._asker, request=request, given=given)
        return self._attempt_at(candidate, asker, given, Most(until=self.most.until))

    def _attempt_at(
        self,
        candidate: Candidate,
        asker: Asker,
        given: Input,
        most: Most,
        wait_for: Tier | None = None,
    ) -> Attempt:
        learned = self._desk.memory.ratios.estimated(candidate.label, given)
        known = Asker(asker.caller, asker.request, learned, asker.priority)
        bounds = self._bounds_of(candidate)
        return Attempt(self._desk, self._caller, known, bounds, wait_for, most)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._caller.end()
