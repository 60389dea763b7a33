"""Why nobody could serve, said as one error."""

import pytest

from penstock_sidecar.errors import (
    BudgetExceeded,
    EmptyCompletion,
    SidecarError,
    UpstreamConnectTimeout,
    UpstreamContextTooLong,
    UpstreamCredentials,
    UpstreamLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from penstock_sidecar.model import Candidate
from penstock_sidecar.verdict import Failure, soonest, verdict
from tests.sidecar.routing.builders import model, provider


def candidate(name: str) -> Candidate:
    owner = provider("cloud", name)
    return Candidate(owner, owner.models[0], "fast", "shop/fast")


def of(*errors: SidecarError) -> SidecarError:
    return verdict([Failure(candidate(f"m{n}"), error) for n, error in enumerate(errors)])


def test_the_earliest_retry_is_told_where_all_are_limited() -> None:
    errors = [UpstreamLimited("x", retry_after_seconds=wait) for wait in (None, 9, 4)]
    found = of(*errors)
    assert (found.status, found.retry_after_seconds) == (429, 4)


def test_time_outs_of_any_sort_stay_a_time_out() -> None:
    assert of(UpstreamTimeout("x"), UpstreamConnectTimeout("y")).status == 504


@pytest.mark.parametrize(
    "other", [UpstreamUnavailable("x"), UpstreamCredentials("x"), EmptyCompletion("x")]
)
def test_mixed_failures_are_a_502_that_names_each_candidate(other: SidecarError) -> None:
    found = of(UpstreamLimited("x", retry_after_seconds=7), other)
    assert (found.status, found.code, found.retry_after_seconds) == (502, "upstream_error", 7)
    assert "shop/cloud/m0: rate_limit_exceeded" in found.public
    assert f"shop/cloud/m1: {other.code}" in found.public


def test_a_budget_is_named_before_all_others() -> None:
    budget = BudgetExceeded("spent")
    assert of(UpstreamUnavailable("x"), budget) is budget


def test_a_candidate_that_fails_the_same_way_twice_is_named_once() -> None:
    found = of(UpstreamLimited("x"), UpstreamUnavailable("x"))
    again = verdict([Failure(candidate("m0"), UpstreamUnavailable("x"))] * 2)
    assert found.public.count("m1") == 1
    assert again.public == "x"


def sized(window: int | None, error: SidecarError) -> Failure:
    owner = provider("cloud", model("m", context_window=window))
    return Failure(Candidate(owner, owner.models[0], "fast", "shop/fast"), error)


TOO_LONG = UpstreamContextTooLong("8 > 7", code="context_length_exceeded")


@pytest.mark.parametrize("window", [None, 9000])
def test_who_may_hold_what_is_too_long_for_others_is_told_of(window: int | None) -> None:
    limited = UpstreamLimited("x", retry_after_seconds=5)
    assert verdict([sized(8000, TOO_LONG), sized(window, limited)]) is limited


@pytest.mark.parametrize("window", [7000, 8000])
def test_who_could_not_hold_it_either_changes_nothing(window: int) -> None:
    failures = [sized(window, UpstreamUnavailable("x")), sized(8000, TOO_LONG)]
    assert verdict(failures) is TOO_LONG


def waiting(name: str, seconds: float | None, *, in_our_books: bool = True) -> Failure:
    error = UpstreamLimited(name, retry_after_seconds=seconds)
    error.in_our_books = in_our_books
    return Failure(candidate(name), error)


def test_whoever_may_have_room_first_is_waited_for() -> None:
    ours, provider_s = waiting("ours", 40), waiting("its own", 9, in_our_books=False)
    assert soonest([ours, provider_s], 30) is provider_s
    assert soonest([ours, provider_s], 5) is ours


def test_a_provider_that_does_not_say_when_is_not_waited_for() -> None:
    ours, silent = waiting("ours", None), waiting("its own", None, in_our_books=False)
    assert soonest([silent, ours], 30) is ours
    assert soonest([silent], 30) is None
