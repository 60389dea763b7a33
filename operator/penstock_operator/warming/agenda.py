"""When a policy's prompts are due: each time once, and late rather than never, but not very."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from penstock_operator.api.reference import ConfigMapKeyReference
from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.compile.schedule import Schedule, ScheduleError, schedule_of

LATE: Final = timedelta(minutes=10)
"""So long after its time prompts are still asked: while Redis, a ConfigMap or every leader was
away."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a policy asks for."""

    schedule: str
    ref: ConfigMapKeyReference


@dataclass(frozen=True, slots=True)
class Agenda:
    """A policy's times."""

    wanted: Wanted
    schedule: Schedule | None
    """`None` where the text is none."""
    since: datetime
    """Times up to this one are done with, or nobody's business."""
    wrong: str = ""
    """What is wrong with the text."""

    def due(self, now: datetime) -> datetime | None:
        """The time for which prompts are to be queued now. Of several missed, the last one."""
        if self.schedule is None:
            return None
        return self.schedule.last(max(self.since, now - LATE), now)

    def next(self, now: datetime) -> datetime | None:
        return self.schedule.next(now) if self.schedule else None

    def done(self, due: datetime) -> "Agenda":
        return replace(self, since=due)


def wanted_of(policy: RoutePolicy) -> Wanted | None:
    """`None` where nothing is asked by a schedule."""
    warm = policy.spec.cache.warm
    if policy.spec.suspended or warm is None or not (warm.schedule and warm.config_map_ref):
        return None
    return Wanted(warm.schedule, warm.config_map_ref)


def agenda_of(wanted: Wanted, since: datetime) -> Agenda:
    """`since`: when somebody began to want it."""
    try:
        return Agenda(wanted, schedule_of(wanted.schedule), since)
    except ScheduleError as error:
        return Agenda(wanted, None, since, str(error))
