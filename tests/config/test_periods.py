"""Calendar periods by the zone's own clock, also on the days when it changes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from penstock_config.periods import FOREVER_US, Calendar, Period

HOUR_US = 3_600_000_000


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("zone", "at", "start", "hours"),
    [
        ("UTC", "2026-11-21T12:00", "2026-11-21T00:00", 24),
        ("Asia/Shanghai", "2026-11-21T16:00", "2026-11-21T16:00", 24),
        ("Asia/Shanghai", "2026-11-21T15:59:59", "2026-11-20T16:00", 24),
        ("Europe/Berlin", "2026-03-29T12:00", "2026-03-28T23:00", 23),
        ("Europe/Berlin", "2026-10-25T12:00", "2026-10-24T22:00", 25),
        ("Asia/Beirut", "2026-03-29T12:00", "2026-03-28T22:00", 23),  # midnight is skipped
    ],
)
def test_a_day_begins_at_local_midnight(zone: str, at: str, start: str, hours: int) -> None:
    """AT13: 23 and 25 hours where clocks change."""
    first, stop, *_ = Calendar("daily", zone).arguments(utc(at))
    assert first == utc(start) * 1_000_000
    assert int(stop) - int(first) == hours * HOUR_US


@pytest.mark.parametrize(
    ("period", "at", "labels"),
    [
        ("daily", "2026-03-01T00:00", ("20260227", "20260228", "20260301", "20260302")),
        ("weekly", "2026-01-01T00:00", ("2025W51", "2025W52", "2026W01", "2026W02")),
        ("monthly", "2026-01-31T23:59", ("202511", "202512", "202601", "202602")),
        ("total", "2026-01-31T23:59", ("", "all", "all", "all")),
    ],
)
def test_periods_are_named_by_their_local_date(
    period: Period, at: str, labels: tuple[str, ...]
) -> None:
    assert Calendar(period).arguments(utc(at))[3:] == labels


def test_a_period_is_worked_out_once() -> None:
    calendar = Calendar("daily", "Europe/Berlin")
    noon = calendar.arguments(utc("2026-11-21T12:00"))
    assert calendar.arguments(utc("2026-11-21T22:59:59")) is noon
    assert calendar.arguments(utc("2026-11-21T23:00")) is not noon
    assert calendar.arguments(utc("2026-11-20T12:00"))[5] == "20261120"


def test_total_never_ends() -> None:
    assert Calendar("total").arguments(0)[:3] == (0, FOREVER_US, FOREVER_US)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_every_moment_of_a_year_lies_in_exactly_one_day(zone: str) -> None:
    """The end of each day is the start of the next, and its label is the local date."""
    moment = utc("2026-01-01T00:00")
    while moment < utc("2027-01-01T00:00"):
        arguments = Calendar("daily", zone).arguments(moment)
        start, stop, next_stop = (int(value) / 1_000_000 for value in arguments[:3])
        assert start <= moment < stop < next_stop
        assert arguments[5] == f"{datetime.fromtimestamp(moment, ZoneInfo(zone)):%Y%m%d}"
        assert Calendar("daily", zone).arguments(stop)[0] == arguments[1]
        moment += 5 * 3600
