"""Five cron fields, in UTC: which minutes they name, and which is the next one. Pure.

As crontab(5) has it: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday);
lists, ranges, steps, and names of months and days. Where neither of the two fields of days begins
with an asterisk, a day of either is one.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

MINUTE: Final = timedelta(minutes=1)
YEARS: Final = 40
"""After 28 years each date has been each day of the week once; 2100 is no leap year."""
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ITEM: Final = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d{1,4}))?")


class ScheduleError(ValueError):
    """What is wrong with the text, and what is expected."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The minutes that a text names."""

    minutes: tuple[int, ...]
    """Sorted, as the others."""
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """Sunday is 0."""
    either: bool
    """Whether day of the month or day of the week suffices; else it must be both."""

    def last(self, after: datetime, until: datetime) -> datetime | None:
        """The latest due minute after the one and up to the other; few minutes apart."""
        at = until.astimezone(UTC).replace(second=0, microsecond=0)
        while at > after:
            if self._is_due(at):
                return at
            at -= MINUTE
        return None

    def next(self, after: datetime) -> datetime | None:
        """The first due minute after that moment; `None` where none ever comes."""
        moment = after.astimezone(UTC)
        for day in self._days_from(moment.date()):
            for hour in self.hours:
                for minute in self.minutes:
                    at = datetime.combine(day, time(hour, minute), UTC)
                    if at > moment:
                        return at
        return None

    def _is_due(self, at: datetime) -> bool:
        return at.minute in self.minutes and at.hour in self.hours and self._is_day(at.date())

    def _is_day(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        of_month, of_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return of_month or of_week if self.either else of_month and of_week

    def _days_from(self, first: date) -> Iterator[date]:
        for year in range(first.year, first.year + YEARS):
            for month in sorted(self.months):
                _, length = calendar.monthrange(year, month)
                for number in range(1, length + 1):
                    day = date(year, month, number)
                    if day >= first and self._is_day(day):
                        yield day


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()
    """From `least` on."""

    def values(self, text: str) -> frozenset[int]:
        return frozenset(n for item in text.split(",") for n in self._item(item))

    def _item(self, text: str) -> range:
        found = _ITEM.fullmatch(text)
        if found is None:
            raise self._error(text)
        begin, end, step = found.groups()
        first = self.least if begin is None else self._number(begin)
        last = self.most if end is None else self._number(end)
        if begin is not None and end is None and step is None:
            last = first
        every = int(step or 1)
        if first > last or not every:
            raise self._error(text)
        return range(first, last + 1, every)

    def _number(self, text: str) -> int:
        if text.isascii() and text.isdecimal() and self.least <= int(text) <= self.most:
            return int(text)
        if text.lower() in self.names:
            return self.least + self.names.index(text.lower())
        raise self._error(text)

    def _error(self, text: str) -> ScheduleError:
        span = f"{self.least} to {self.most}"
        named = f", {self.names[0]} to {self.names[-1]}" if self.names else ""
        msg = f"{text!r} is no {self.name} of a cron schedule: expected {span}{named}"
        return ScheduleError(msg)


FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, MONTHS),
    _Field("day of the week", 0, 7, DAYS),
)


def schedule_of(text: str) -> Schedule:
    """Raises `ScheduleError`, also where the day never comes."""
    words = text.split()
    if len(words) != len(FIELDS):
        msg = f"{len(words)} fields: expected five, minute hour day month weekday"
        raise ScheduleError(msg)
    found = [field.values(word) for field, word in zip(FIELDS, words, strict=True)]
    minutes, hours, days, months, weekdays = found
    schedule = Schedule(
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=days,
        months=months,
        weekdays=frozenset(number % 7 for number in weekdays),
        either=not words[2].startswith("*") and not words[4].startswith("*"),
    )
    if schedule.next(datetime(2000, 1, 1, tzinfo=UTC)) is None:
        msg = f"day {words[2]} of month {words[3]} never comes"
        raise ScheduleError(msg)
    return schedule
