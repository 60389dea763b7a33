"""Which candidates keep failing: the memory of one sidecar, over all its configurations.

Nobody is ever left out for it: a cooling candidate is asked last.
"""

from dataclasses import dataclass
from typing import Final

from penstock_sidecar.clock import Clock
from penstock_sidecar.errors import (
    UpstreamCredentials,
    UpstreamError,
    UpstreamRefused,
    UpstreamTooLate,
)
from penstock_sidecar.model import Candidate

MAX_REMEMBERED: Final = 4096
"""Failing models at a time; beyond it the one that failed first is forgotten."""


@dataclass(slots=True)
class _Failing:
    in_a_row: int = 0
    not_before: float = 0
    """The latest of the provider's own hints (`Retry-After`)."""
    cools_until: float = 0


class Health:
    """Failures in a row, by provider and model.

    After the cooldown a candidate is asked as before; if it fails again it cools at once, because
    only a success ends the row.
    """

    def __init__(self, clock: Clock, max_remembered: int = MAX_REMEMBERED) -> None:
        self._clock = clock
        self._max_remembered = max_remembered
        self._failing: dict[str, _Failing] = {}

    def cooling(self, candidate: Candidate) -> bool:
        failing = self._failing.get(candidate.label)
        return failing is not None and self._clock.monotonic() < failing.cools_until

    def failed(self, candidate: Candidate, error: UpstreamError) -> None:
        """Counts the error of an attempt that reached out, if it speaks against the candidate."""
        if not _counts(error):
            return
        now = self._clock.monotonic()
        failing = self._remembered(candidate.label)
        failing.in_a_row += 1
        failing.not_before = max(failing.not_before, now + (error.retry_after_seconds or 0))
        health = candidate.provider.health
        if failing.in_a_row >= health.failure_threshold:
            until = max(now + health.cooldown_seconds, failing.not_before)
            failing.cools_until = max(failing.cools_until, until)

    def succeeded(self, candidate: Candidate) -> None:
        self._failing.pop(candidate.label, None)

    def _remembered(self, label: str) -> _Failing:
        if label not in self._failing and len(self._failing) >= self._max_remembered:
            del self._failing[next(iter(self._failing))]
        return self._failing.setdefault(label, _Failing())


def _counts(error: UpstreamError) -> bool:
    """408, 429, 5xx, connection errors, time-outs, empty and broken answers.

    Not 401 and 403, though the next candidate is tried: some providers answer 403 to a flagged
    prompt, and one caller's prompts must not take a model from all others. Nor what the protocol
    cannot say, what is too long for the model, or for the time that a caller gives: that is the
    request's doing.
    """
    forgiven = (UpstreamCredentials, UpstreamRefused, UpstreamTooLate)
    return error.next_candidate and not isinstance(error, forgiven)
