"""Which time is due when: once each, late rather than never."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.warming.agenda import LATE, Agenda, agenda_of, wanted_of
from tests.operator.compile.documents import policy

SIX = datetime(2026, 11, 20, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
REF = {"name": "penstock-warming", "key": "prompts"}


def warmed(**spec: Any) -> RoutePolicy:
    warm = {"configMapRef": REF, "schedule": "0 6 * * *", **spec}
    return policy(cache={"exact": {}, "warm": {k: v for k, v in warm.items() if v is not None}})


def agenda(since: datetime, **spec: Any) -> Agenda:
    wanted = wanted_of(warmed(**spec))
    assert wanted
    return agenda_of(wanted, since)


def test_a_time_is_due_from_its_moment_on_until_it_is_done() -> None:
    found = agenda(SIX - MINUTE)
    assert found.due(SIX - timedelta(seconds=1)) is None
    assert found.due(SIX) == found.due(SIX + 5 * MINUTE) == SIX
    assert found.done(SIX).due(SIX + MINUTE) is None
    assert found.done(SIX).due(SIX + timedelta(days=1)) == SIX + timedelta(days=1)


def test_what_is_too_late_is_left() -> None:
    found = agenda(SIX - timedelta(days=3))
    assert found.due(SIX + LATE - timedelta(seconds=1)) == SIX
    assert found.due(SIX + LATE) is None


def test_of_several_missed_the_last_is_due() -> None:
    assert agenda(SIX, schedule="*/2 * * * *").due(SIX + 5 * MINUTE) == SIX + 4 * MINUTE


def test_who_comes_after_a_time_does_not_make_it_due() -> None:
    assert agenda(SIX + MINUTE).due(SIX + 2 * MINUTE) is None


def test_the_next_time_is_told() -> None:
    assert agenda(SIX).next(SIX) == SIX + timedelta(days=1)


def test_a_schedule_that_is_none_is_never_due_and_says_why() -> None:
    found = agenda(SIX, schedule="0 6 31 2 *")
    assert (found.due(SIX), found.next(SIX)) == (None, None)
    assert "never comes" in found.wrong


@pytest.mark.parametrize(
    "spec",
    [
        {"cache": {"exact": {}}},
        {"cache": {"warm": {"popular": 3}}},
        {"cache": {"warm": {"popular": 3, "schedule": "0 6 * * *"}}},
        {
            "cache": {"warm": {"configMapRef": REF, "schedule": "0 6 * * *"}},
            "suspended": True,
        },
    ],
)
def test_without_prompts_or_in_suspense_nothing_is_wanted(spec: dict[str, Any]) -> None:
    assert wanted_of(policy(**spec)) is None
