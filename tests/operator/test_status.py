"""Conditions follow from problems, and change no more than they must."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Final

import pytest

from penstock_operator.compile.problem import ObjectRef, Problem
from penstock_operator.status import (
    MAX_MESSAGE_CHARACTERS,
    Condition,
    Former,
    Programming,
    conditions,
    former_conditions,
)

NOW: Final = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
BEFORE: Final = NOW - timedelta(days=1)
ROUTE: Final = ObjectRef("RoutePolicy", "shop", "main")
DANGLING: Final = Problem(
    ROUTE, "ResolvedRefs", "RefNotFound", "there is no ModelTier shop/fast", path="spec.defaultTier"
)
UNUSED: Final = Problem(
    ROUTE, "Enforced", "NotYetEnforced", "has no effect in this version", "warning", "spec.memory"
)
INVALID: Final = Problem(ROUTE, "Accepted", "InvalidSpec", "spec: Field required")
OUTRANKED: Final = Problem(ROUTE, "Conflicted", "Outranked", "ruled by shop/other", "warning")


def made(*problems: Problem, programmed: Programming = "Programmed") -> dict[str, Condition]:
    found = conditions("RoutePolicy", 7, problems, {}, NOW, programmed)
    return {condition.type: condition for condition in found}


def test_without_problems_all_four_are_true_and_conflicted_is_not_there() -> None:
    assert [(c.type, c.status, c.reason) for c in made().values()] == [
        ("Accepted", "True", "Accepted"),
        ("ResolvedRefs", "True", "ResolvedRefs"),
        ("Programmed", "True", "Programmed"),
        ("Enforced", "True", "Enforced"),
    ]


def test_a_problem_makes_its_own_condition_false_and_no_other() -> None:
    found = made(DANGLING)
    assert found["ResolvedRefs"].status == "False"
    assert found["ResolvedRefs"].reason == "RefNotFound"
    assert found["ResolvedRefs"].message == "spec.defaultTier: there is no ModelTier shop/fast"
    assert {c.type for c in found.values() if c.status == "False"} == {"ResolvedRefs"}


def test_a_warning_makes_its_condition_false_too() -> None:
    assert made(UNUSED)["Enforced"].status == "False"
    assert made(UNUSED)["Accepted"].status == "True"


def test_conflicted_is_true_while_a_better_policy_takes_pods() -> None:
    assert made(OUTRANKED)["Conflicted"].status == "True"


def test_of_several_problems_the_worst_speaks_and_the_rest_are_counted() -> None:
    minor = Problem(ROUTE, "ResolvedRefs", "CandidateUnavailable", "x", "warning", "spec.a")
    other = Problem(ROUTE, "ResolvedRefs", "RefNotPermitted", "y", path="spec.z")
    for order in permutations([minor, other, DANGLING]):
        condition = made(*order)["ResolvedRefs"]
        assert condition.reason == "RefNotFound"
        assert condition.message.endswith("(and 2 more)")


@pytest.mark.parametrize("state", ["Pending", "WriteFailed", "NotReferenced", "Suspended"])
def test_what_is_not_written_is_not_programmed_and_says_why(state: Programming) -> None:
    condition = made(programmed=state)["Programmed"]
    assert (condition.status, condition.reason) == ("False", state)
    assert condition.message


def test_a_refused_object_is_never_programmed() -> None:
    condition = made(INVALID)["Programmed"]
    assert (condition.status, condition.reason) == ("False", "Invalid")


def test_the_time_changes_with_the_status_alone() -> None:
    previous = {"Enforced": Former("False", BEFORE), "Accepted": Former("False", BEFORE)}
    found = conditions("RoutePolicy", 8, [UNUSED], previous, NOW, "Programmed")
    times = {c.type: c.last_transition_time for c in found}
    assert times["Enforced"] == BEFORE
    assert times["Accepted"] == NOW
    assert {c.observed_generation for c in found} == {8}


def test_what_was_written_is_read_back_and_nonsense_is_passed_over() -> None:
    (accepted, *_) = conditions("RoutePolicy", 1, [], {}, NOW, "Programmed")
    nonsense = [{"type": "Enforced", "status": "True", "lastTransitionTime": "yesterday"}, {}]
    found = former_conditions([accepted.document(), *nonsense])
    assert found == {"Accepted": Former("True", NOW)}


def test_a_condition_is_stored_as_the_api_server_spells_it() -> None:
    assert made()["Accepted"].document() == {
        "type": "Accepted",
        "status": "True",
        "reason": "Accepted",
        "message": "The RoutePolicy is valid.",
        "observedGeneration": 7,
        "lastTransitionTime": "2026-11-21T08:00:00Z",
    }


def test_a_long_message_is_cut() -> None:
    endless = Problem(ROUTE, "Accepted", "InvalidSpec", "x" * 5000)
    assert len(made(endless)["Accepted"].message) == MAX_MESSAGE_CHARACTERS


def test_braces_in_a_problem_stay_as_they_are() -> None:
    odd = Problem(ROUTE, "Accepted", "InvalidSpec", "spec.{kind}: Extra inputs are not permitted")
    assert "{kind}" in made(odd)["Accepted"].message


def test_a_budget_that_binds_nobody_is_told_to_look_at_its_scope() -> None:
    found = conditions("Budget", 1, (), {}, NOW, "NotReferenced")
    [message] = [each.message for each in found if each.type == "Programmed"]
    assert "spec.scope" in message
