"""A policy's status, from counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from penstock_operator.delivery.page import Document, Facts, is_programmed, own_part, status_of
from penstock_operator.delivery.standing import Counts

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
ALL = Counts(total=3, current=3)
FACTS = Facts(generation=2, programmed=True, counts=ALL, config_digest="d1")


def page(facts: Facts = FACTS, former: Document | None = None, now: datetime = NOW) -> Document:
    return status_of(facts, former or {}, now)


def of(**counts: Any) -> Document:
    return page(replace(FACTS, counts=Counts(**counts)))


def ready(document: Document) -> tuple[str, str]:
    (condition,) = document["conditions"]
    assert condition["type"] == "Ready"
    return condition["status"], condition["reason"]


def test_all_is_said_of_sidecars_that_are_current() -> None:
    assert page() == {
        "sidecars": {"total": 3, "current": 3, "stale": 0, "rejected": 0},
        "configDigest": "d1",
        "lastProgrammedTime": "2026-11-21T12:00:00Z",
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "SidecarsCurrent",
                "message": "3 of 3 sidecars run the newest configuration.",
                "observedGeneration": 2,
                "lastTransitionTime": "2026-11-21T12:00:00Z",
            }
        ],
    }


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({}, ("True", "NoSidecars")),
        ({"total": 2, "current": 1, "stale": 1}, ("False", "SidecarsStale")),
        ({"total": 2, "stale": 1, "rejected": 1, "error": "e"}, ("False", "SidecarsRejected")),
        ({"total": 2, "unknown": 2}, ("Unknown", "SidecarsUnknown")),
        ({"total": 2, "unknown": 1, "stale": 1}, ("Unknown", "SidecarsUnknown")),
    ],
)
def test_ready_is_what_every_sidecar_says(
    counts: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert ready(of(**counts)) == expected


def test_what_is_not_known_is_not_counted_but_the_total_is() -> None:
    assert of(total=5, unknown=2, current=3)["sidecars"] == {"total": 5}


@pytest.mark.parametrize("facts", [replace(FACTS, programmed=False), replace(FACTS, counts=None)])
def test_a_generation_that_is_not_written_is_not_ready_whatever_runs(facts: Facts) -> None:
    assert ready(page(facts)) == ("False", "NotProgrammed")


def test_the_message_says_what_a_sidecar_refused_and_where_one_is_missing() -> None:
    (refused,) = of(total=2, rejected=1, stale=1, error="not JSON " * 1000)["conditions"]
    assert "1 of 2 sidecars refused the newest configuration: not JSON" in refused["message"]
    assert len(refused["message"]) < 500
    (stale,) = of(total=2, current=1, stale=1, without=1)["conditions"]
    assert "1 of them because the pod has no sidecar" in stale["message"]


def test_times_change_with_what_they_are_the_times_of() -> None:
    first = page()
    assert page(former=first, now=LATER) == first
    second = page(replace(FACTS, config_digest="d2", counts=Counts(total=3, stale=3)), first, LATER)
    (condition,) = second["conditions"]
    assert second["lastProgrammedTime"] == condition["lastTransitionTime"] == "2026-11-21T12:01:00Z"


def test_another_process_goes_on_from_the_status_that_is_there() -> None:
    others = {"type": "Accepted", "status": "True"}
    whole = {**page(), "observedGeneration": 2}
    whole["conditions"] = [others, *whole["conditions"]]
    assert own_part(whole) == page()
    assert own_part({}) == {"conditions": []}


def test_programmed_counts_for_its_own_generation_alone() -> None:
    condition = {"status": "True", "observedGeneration": 2}
    assert is_programmed({"Programmed": condition}, 2)
    assert not is_programmed({"Programmed": condition}, 3)
    assert not is_programmed({"Programmed": {**condition, "status": "False"}}, 2)
    assert not is_programmed({}, 2)
