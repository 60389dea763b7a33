"""Calendar periods of an IANA zone, as the scripts want them: pure.

The script decides by Redis time, so it is given the period that this clock believes in and its
neighbours: a sidecar whose clock is off by up to a period still charges the right one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

Period = Literal["daily", "weekly", "monthly", "total"]
Arguments = tuple[int | str, ...]
FOREVER_US: Final = 2**53 - 1
"""The end of the period `total`: the largest integer that Lua's numbers hold exactly."""


@dataclass(frozen=True, slots=True)
class _Kind:
    first_day: Callable[[date], date]
    after: Callable[[date], date]
    """The first day of the next period, from any first day."""
    label: Callable[[date], str]


def _month_after(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


_KINDS: Final = {
    "daily": _Kind(lambda day: day, lambda day: day + timedelta(days=1), "{:%Y%m%d}".format),
    "weekly": _Kind(
        lambda day: day - timedelta(days=day.weekday()),
        lambda day: day + timedelta(days=7),
        "{:%GW%V}".format,
    ),
    "monthly": _Kind(lambda day: day.replace(day=1), _month_after, "{:%Y%m}".format),
}


class Calendar:
    """One kind of period in one zone."""

    def __init__(self, period: Period, zone: str = "UTC") -> None:
        self.period: Final = period
        self._kind = None if period == "total" else _KINDS[period]
        self._zone = ZoneInfo(zone)
        self._valid = (0.0, 0.0)
        self._arguments: Arguments = (0, FOREVER_US, FOREVER_US, "", "all", "all", "all")

    def arguments(self, utc: float) -> Arguments:
        """Start, stop and the next stop in us; labels before last, last, this and next."""
        if self._kind and not self._valid[0] <= utc < self._valid[1]:
            self._arguments = self._around(self._kind, utc)
        return self._arguments

    def label(self, utc: float) -> str:
        """Of the period that this moment is in."""
        return str(self.arguments(utc)[5])

    def _around(self, kind: _Kind, utc: float) -> Arguments:
        this = kind.first_day(self._date(utc))
        start, stop = self._instant(this), self._instant(kind.after(this))
        last = kind.first_day(self._date(start - 1))
        before = kind.first_day(self._date(self._instant(last) - 1))
        following = kind.first_day(self._date(stop))
        next_stop = self._instant(kind.after(following))
        self._valid = (start, stop)
        micros = (round(at * 1_000_000) for at in (start, stop, next_stop))
        return (*micros, *map(kind.label, (before, last, this, following)))

    def _date(self, utc: float) -> date:
        """A day that a zone skips is never one: Samoa had no 30 December 2011."""
        return datetime.fromtimestamp(utc, self._zone).date()

    def _instant(self, day: date) -> float:
        """The first moment of a local day. Where clocks skip midnight, that is the change itself:
        a time within the gap is read with the offset before it (PEP 495, fold 0)."""
        local = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        return local.astimezone(UTC).timestamp()
