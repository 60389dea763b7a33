"""One request: its caller limits, and its attempts."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Self

from penstock_config.tier import Tier
from penstock_sidecar.limits.attempt import Attempt
from penstock_sidecar.limits.binding import Asker, CandidateBounds
from penstock_sidecar.limits.caller_hold import CallerHold
from penstock_sidecar.limits.desk import Desk
from penstock_sidecar.limits.hints import limit_headers
from penstock_sidecar.model import Candidate


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
        return limit_headers(self._caller.standings + of_attempt)

    def attempt(
        self, candidate: Candidate, wait_for: Tier | None = None, *, added_bytes: int = 0
    ) -> Attempt:
        """With `wait_for` it waits where the provider's limits refuse, in the tier's queue.
        `added_bytes` are sent beside the caller's own."""
        bounds, given = self._bounds_of(candidate), self._asker.given
        if added_bytes:
            given = replace(given, most_tokens=given.most_tokens + added_bytes)
        learned = self._desk.memory.ratios.estimated(candidate.label, given)
        same = learned is self._asker.given
        asker = self._asker if same else replace(self._asker, given=learned)
        self._attempt = Attempt(self._desk, self._caller, asker, bounds, wait_for)
        return self._attempt

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._caller.end()
