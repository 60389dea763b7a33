"""Cron fields in UTC, against dates worked out by hand, and against each other."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_operator.compile.schedule import ScheduleError, schedule_of

BEGIN = datetime(2026, 11, 20, 10, 30, 15, tzinfo=UTC)
"""A Friday."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", "2026-11-20T10:31"),
        ("30 10 * * *", "2026-11-21T10:30"),
        ("31 10 * * *", "2026-11-20T10:31"),
        ("*/20 * * * *", "2026-11-20T10:40"),
        ("5/20 * * * *", "2026-11-20T10:45"),
        ("10-40/15 * * * *", "2026-11-20T10:40"),
        ("0 6 * * 1-5", "2026-11-23T06:00"),
        ("0 6 * * MON-fri", "2026-11-23T06:00"),
        ("0 6 * * 0", "2026-11-22T06:00"),
        ("0 6 * * 7", "2026-11-22T06:00"),
        ("0 6 * * 5-7", "2026-11-21T06:00"),
        ("0 0 1 * *", "2026-12-01T00:00"),
        ("0 0 31 * *", "2026-12-31T00:00"),
        ("0 0 1 jan *", "2027-01-01T00:00"),
        ("0 0 29 2 *", "2028-02-29T00:00"),
        ("15,45 8,20 * * *", "2026-11-20T20:15"),
        ("59 23 31 12 *", "2026-12-31T23:59"),
        # One day of both suffices where both are said; it must be both where one begins with *.
        ("0 0 13 * 1", "2026-11-23T00:00"),
        ("0 0 13 * */5", "2026-12-13T00:00"),
        ("0 0 */10 * 1", "2026-12-21T00:00"),
        ("0 0 30 2 1", "2027-02-01T00:00"),
    ],
)
def test_the_next_time_is_the_first_after_now(text: str, expected: str) -> None:
    assert schedule_of(text).next(BEGIN) == datetime.fromisoformat(f"{expected}+00:00")


def test_a_leap_day_on_a_sunday_comes_after_decades() -> None:
    """`*/7` is Sunday alone, and begins with an asterisk: it must be both."""
    found = schedule_of("0 0 29 2 */7").next(BEGIN)
    assert found == datetime(2032, 2, 29, tzinfo=UTC)
    assert schedule_of("0 0 29 2 */7").next(found) == datetime(2060, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize("text", ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 2 */2"])
def test_a_day_that_never_comes_is_refused(text: str) -> None:
    with pytest.raises(ScheduleError, match="never comes"):
        schedule_of(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("60 * * * *", "'60' is no minute"),
        ("* 24 * * *", "'24' is no hour"),
        ("* * 0 * *", "'0' is no day of the month"),
        ("* * * 13 *", "'13' is no month of a cron schedule: expected 1 to 12, jan to dec"),
        ("* * * * 8", "'8' is no day of the week"),
        ("* * * mai *", "'mai' is no month"),
        ("* * * * funday", "'funday' is no day of the week"),
        ("*/0 * * * *", "no minute"),
        ("40-10 * * * *", "no minute"),
        ("*-5 * * * *", "no minute"),
        ("5, * * * *", "'' is no minute"),
        ("-5 * * * *", "no minute"),
        ("1--2 * * * *", "no minute"),
        ("1/2/3 * * * *", "no minute"),
        ("٣ * * * *", "no minute"),
        ("* * * *", "4 fields: expected five"),
        ("0 6 * * 1 2026", "6 fields: expected five"),
    ],
)
def test_what_is_no_schedule_is_refused_by_what_is_wrong(text: str, named: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        schedule_of(text)
    assert named in str(caught.value)


def test_the_last_time_is_within_what_is_asked() -> None:
    hourly = schedule_of("0 * * * *")
    at = datetime(2026, 11, 20, 10, tzinfo=UTC)
    now = at + timedelta(minutes=4, seconds=5)
    assert hourly.last(now - timedelta(minutes=10), now) == at
    assert hourly.last(at - timedelta(seconds=1), at) == at
    assert hourly.last(at, now) is None
    assert hourly.last(now - timedelta(minutes=3), now) is None


def test_of_several_missed_the_latest_counts() -> None:
    at = datetime(2026, 11, 20, 10, 7, 30, tzinfo=UTC)
    found = schedule_of("* * * * *").last(at - timedelta(minutes=5), at)
    assert found == at.replace(second=0)


def test_time_zones_of_those_who_ask_change_nothing() -> None:
    tokyo = BEGIN.astimezone(timezone(timedelta(hours=9)))
    assert schedule_of("0 6 * * *").next(tokyo) == schedule_of("0 6 * * *").next(BEGIN)


MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # bounds without zones are asked for
NUMBERS = st.tuples(
    *(
        st.sampled_from(["*", "*/7", str(low), f"{low}-{high}", f"{low},{high}"])
        for low, high in ((3, 50), (2, 21), (5, 27), (2, 11), (1, 6))
    )
)


@given(NUMBERS, MOMENTS)
def test_the_next_time_is_also_the_last_of_then(fields: tuple[str, ...], moment: datetime) -> None:
    schedule = schedule_of(" ".join(fields))
    found = schedule.next(moment)
    assert found is not None
    assert found > moment
    assert schedule.last(found - timedelta(minutes=1), found) == found
    span = min(found - moment, timedelta(minutes=10))
    assert schedule.last(found - span, found - timedelta(minutes=1)) is None
