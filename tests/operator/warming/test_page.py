"""What a policy's status says of its warming."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from penstock_operator.api.reference import ConfigMapKeyReference
from penstock_operator.warming.page import (
    Facts,
    Fault,
    Queued,
    fault_of,
    own_part,
    queued_in,
    status_of,
)
from penstock_operator.warming.prompts import Prompts

SIX = datetime(2026, 11, 20, 6, tzinfo=UTC)
NOW = SIX + timedelta(hours=1)
REF = ConfigMapKeyReference(name="penstock-warming", key="prompts")
AWAY: Fault = ("NotQueued", "Redis is away")
ENTRY = ("prompt", b"x")


def facts(**more: Any) -> Facts:
    return Facts(3, REF, SIX + timedelta(days=1), **more)


def condition(document: dict[str, Any]) -> dict[str, Any]:
    (found,) = document["conditions"]
    assert isinstance(found, dict)
    return found


def test_it_says_what_was_queued_and_what_is_next() -> None:
    document = status_of(facts(queued=Queued(SIX, 12)), {}, NOW)
    assert document["warming"] == {
        "lastScheduleTime": "2026-11-20T06:00:00Z",
        "lastQueued": 12,
        "nextScheduleTime": "2026-11-21T06:00:00Z",
    }
    said = condition(document)
    assert (said["type"], said["status"], said["reason"]) == ("Warmed", "True", "Scheduled")
    assert said["observedGeneration"] == 3
    assert "2026-11-21T06:00:00Z" in said["message"]


def test_a_fault_is_the_condition_s_reason() -> None:
    said = condition(status_of(facts(fault=AWAY), {}, NOW))
    assert (said["status"], said["reason"], said["message"]) == ("False", *AWAY)


def test_since_when_it_is_so_changes_with_the_status_alone() -> None:
    first = status_of(facts(), {}, SIX)
    again = status_of(facts(queued=Queued(SIX, 1)), first, NOW)
    assert condition(again)["lastTransitionTime"] == "2026-11-20T06:00:00Z"
    bad = status_of(facts(fault=AWAY), again, NOW)
    assert condition(bad)["lastTransitionTime"] == "2026-11-20T07:00:00Z"


def test_what_was_said_is_read_back_out_of_a_whole_status() -> None:
    document = status_of(facts(queued=Queued(SIX, 12)), {}, NOW)
    ready = {"type": "Ready", "status": "True"}
    whole = {**document, "sidecars": {"total": 1}, "conditions": [ready, *document["conditions"]]}
    assert own_part(whole) == document
    assert queued_in(own_part(whole)) == Queued(SIX, 12)
    assert own_part({"conditions": [ready]}) == {}


@pytest.mark.parametrize(
    "status",
    [{}, {"warming": {}}, {"warming": 3}, {"warming": {"lastScheduleTime": "x", "lastQueued": 1}}],
)
def test_a_status_that_cannot_be_read_says_nothing(status: dict[str, Any]) -> None:
    assert queued_in(status) is None


@pytest.mark.parametrize(
    ("prompts", "reason", "named"),
    [
        (Prompts(), "NoPrompts", "holds no prompts"),
        (Prompts((ENTRY,), (2, 4)), "PromptsUnreadable", "line 2, 4 begins"),
        (Prompts((ENTRY,), tuple(range(1, 9))), "PromptsUnreadable", "1, 2, 3, 4, 5 (and 3 more)"),
        (Prompts((ENTRY,), (), 7), "TooManyPrompts", "more than 1000"),
    ],
)
def test_what_is_wrong_with_the_text_is_said(prompts: Prompts, reason: str, named: str) -> None:
    fault = fault_of(REF, prompts)
    assert fault
    assert fault[0] == reason
    assert named in fault[1]
    assert "ConfigMap penstock-warming, key prompts" in fault[1]


def test_good_prompts_have_no_fault() -> None:
    assert fault_of(REF, Prompts((ENTRY,))) is None
