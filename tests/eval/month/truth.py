"""What is true in the simulated month: which answers are right, who asks what, who is down when."""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Final

import yaml
from pydantic import BaseModel, ConfigDict

from penstock_config.classification import COMPLEXITIES, Complexity, Task

HERE: Final = Path(__file__).parent
DAYS: Final = 30
DAY_SECONDS: Final = 86_400
HOUR_SECONDS: Final = 3_600
WORKDAYS: Final = 5
FREE_DAYS_SHARE: Final = 1 / 3


class Context(BaseModel):
    """What applications send along, in some requests: tokens, log-normal."""

    model_config = ConfigDict(extra="forbid")

    share: float
    median: int
    spread: float


class Truth(BaseModel):
    """`truth.yaml`. Shares add up to 1."""

    model_config = ConfigDict(extra="forbid")

    right: Mapping[str, tuple[float, float, float, float]]
    wrong: Mapping[str, Mapping[Task, float]]
    complexity: Mapping[Complexity, float]
    tasks: Mapping[Task, float]
    output: Mapping[Complexity, int]
    spread: float
    context: Context
    requests_per_day: int
    hours: tuple[float, ...]
    bad_hours: Mapping[str, int]
    failing: float

    def share_right(self, model: str, task: Task, complexity: Complexity) -> float:
        """Of its answers to such questions, when it answers."""
        wrong = 1 - self.right[model][COMPLEXITIES.index(complexity)]
        return 1 - wrong * self.wrong.get(model, {}).get(task, 1.0)

    def expected(self, model: str) -> float:
        """The same over all that is asked."""
        return sum(
            kind * hard * self.share_right(model, task, complexity)
            for task, kind in self.tasks.items()
            for complexity, hard in self.complexity.items()
        )

    def times(self, random: Random) -> list[float]:
        """Seconds since the month began, on a Monday, of every request."""
        found = []
        for day in range(DAYS):
            busy = 1.0 if day % 7 < WORKDAYS else FREE_DAYS_SHARE
            count = round(self.requests_per_day * busy)
            for hour in random.choices(range(24), self.hours, k=count):
                within = hour * HOUR_SECONDS + random.random() * HOUR_SECONDS
                found.append(day * DAY_SECONDS + within)
        return sorted(found)

    def bad(self, random: Random) -> frozenset[tuple[str, int]]:
        """(provider, hour of the month): when most of its answers fail."""
        return frozenset(
            (provider, hour)
            for provider, count in self.bad_hours.items()
            for hour in random.sample(range(DAYS * 24), count)
        )


def truth() -> Truth:
    return Truth.model_validate(yaml.safe_load((HERE / "truth.yaml").read_text("utf-8")))
