"""Why nobody could serve, said as one error: pure.

Failures of one kind keep it (429 stays 429, with the earliest retry) and say each candidate's
words; mixed ones become 502 with every candidate's reason. A budget that refused what the others
failed at is named first, because only a person can mend it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from penstock_sidecar.errors import (
    BudgetExceeded,
    SidecarError,
    UpstreamContextTooLong,
    UpstreamLimited,
    UpstreamUnavailable,
)
from penstock_sidecar.model import Candidate


@dataclass(frozen=True, slots=True)
class Failure:
    """One candidate's last word."""

    candidate: Candidate
    error: SidecarError


def verdict(failures: Sequence[Failure]) -> SidecarError:
    """The error for the caller; `failures` is not empty, in order of the attempts."""
    failures = _that_may_pass(failures)
    errors = [failure.error for failure in failures]
    kinds = {(error.status, error.code) for error in errors}
    if len(kinds) == 1:
        soonest = min(errors, key=_wait)
        soonest.public = "; ".join(dict.fromkeys(error.public for error in errors))
        return soonest
    for error in errors:
        if isinstance(error, BudgetExceeded):
            return error
    waits = [e.retry_after_seconds for e in errors if e.retry_after_seconds is not None]
    return UpstreamUnavailable(
        f"no candidate could serve ({reasons(failures)})",
        retry_after_seconds=min(waits, default=None),
    )


def reasons(failures: Sequence[Failure]) -> str:
    """Each candidate's, once."""
    return "; ".join(dict.fromkeys(f"{f.candidate.label}: {f.error.code}" for f in failures))


def saturated(failures: Sequence[Failure]) -> bool:
    """Limits of providers alone stood in the way."""
    return bool(failures) and all(isinstance(f.error, UpstreamLimited) for f in failures)


def downgrades(failures: Sequence[Failure]) -> Sequence[str]:
    """Tiers to which the budgets that refused lead; each once."""
    errors = (f.error for f in failures if isinstance(f.error, BudgetExceeded))
    return list(dict.fromkeys(e.downgrade_tier for e in errors if e.downgrade_tier))


def soonest(failures: Sequence[Failure], most_seconds: float) -> Failure | None:
    """Whom to wait for in a queue: whoever may have room first. A provider that refused by itself
    is asked again only once the time is over that it named, if that is no longer than this."""
    able = [f for f in failures if in_our_books(f.error) or _wait(f.error) < most_seconds]
    return min(able, key=lambda failure: _wait(failure.error), default=None)


def in_our_books(error: SidecarError) -> bool:
    """Its provider was not asked."""
    return isinstance(error, UpstreamLimited) and error.in_our_books


def _that_may_pass(failures: Sequence[Failure]) -> Sequence[Failure]:
    """Where a request was too long for some: what failed for another reason and has a larger window
    may serve it later, and is what to tell of; nobody else will."""
    too_long = [f for f in failures if isinstance(f.error, UpstreamContextTooLong)]
    if not too_long:
        return failures
    largest = max(f.candidate.model.context_window or 0 for f in too_long)
    others = [f for f in failures if f not in too_long and _may_hold(f.candidate, largest)]
    return others or too_long[-1:]


def _may_hold(candidate: Candidate, more_than: int) -> bool:
    window = candidate.model.context_window
    return window is None or window > more_than


def _wait(error: SidecarError) -> float:
    return float("inf") if error.retry_after_seconds is None else error.retry_after_seconds
