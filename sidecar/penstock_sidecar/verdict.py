"""Why nobody could serve, said as one error: pure.

Failures of one kind keep it (429 stays 429, with the earliest retry) and say each candidate's
words; mixed ones become 502 with every candidate's reason. A budget that refused what the others
failed at is named first, because only a person can mend it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from penstock_sidecar.errors import BudgetExceeded, SidecarError, UpstreamUnavailable
from penstock_sidecar.model import Candidate


@dataclass(frozen=True, slots=True)
class Failure:
    """One candidate's last word."""

    candidate: Candidate
    error: SidecarError


def verdict(failures: Sequence[Failure]) -> SidecarError:
    """The error for the caller; `failures` is not empty, in order of the attempts."""
    errors = [failure.error for failure in failures]
    kinds = {(error.status, error.code) for error in errors}
    if len(kinds) == 1:
        soonest = min(errors, key=_wait)
        soonest.public = "; ".join(dict.fromkeys(error.public for error in errors))
        return soonest
    for error in errors:
        if isinstance(error, BudgetExceeded):
            return error
    reasons = dict.fromkeys(f"{f.candidate.label}: {f.error.code}" for f in failures)
    waits = [e.retry_after_seconds for e in errors if e.retry_after_seconds is not None]
    return UpstreamUnavailable(
        f"no candidate could serve ({'; '.join(reasons)})",
        retry_after_seconds=min(waits, default=None),
    )


def _wait(error: SidecarError) -> float:
    return float("inf") if error.retry_after_seconds is None else error.retry_after_seconds
