"""How much each feature says for each task and each complexity: a table of integers.

`weights.json` is written by `python -m tests.eval.routing.tune`; nobody edits it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from math import exp
from operator import mul
from typing import Final

from penstock_config.classification import COMPLEXITIES, TASKS, Complexity, Task
from penstock_sidecar.classify.features import Features
from penstock_sidecar.model import Classification

UNIT: Final = 100
"""Weights are hundredths of a natural logarithm of odds."""
COLUMNS: Final = (*TASKS, *COMPLEXITIES)
MAX_SIGNALS: Final = 4
"""Of the task, and of the complexity."""
LEAST_SIGNAL: Final = 25
"""Weaker features decide nothing."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the weights say, with how sure they are (0 to 1) and what said so."""

    task: Task
    task_confidence: float
    complexity: Complexity
    complexity_confidence: float
    task_reasons: Mapping[str, float]
    """Features with what each adds for the task, in hundredths."""
    complexity_reasons: Mapping[str, float]
    """The same for the complexity."""

    @property
    def task_signals(self) -> tuple[str, ...]:
        return strongest(self.task_reasons)

    @property
    def complexity_signals(self) -> tuple[str, ...]:
        return strongest(self.complexity_reasons)

    def classification(self) -> Classification:
        """As sure as of the less certain of the two."""
        confidence = min(self.task_confidence, self.complexity_confidence)
        signals = tuple(dict.fromkeys((*self.task_signals, *self.complexity_signals)))
        return Classification(self.task, self.complexity, confidence, signals)


@dataclass(frozen=True, slots=True)
class Weights:
    """A row per feature, with a column for each of `COLUMNS`; so has `bias`.

    Two multinomial logistic models side by side, one of the tasks and one of the complexities.
    """

    rows: Mapping[str, Sequence[int]]
    bias: Sequence[int]

    @classmethod
    def load(cls) -> "Weights":
        text = files("penstock_sidecar.classify").joinpath("weights.json").read_text("utf-8")
        return cls.of(json.loads(text))

    @classmethod
    def of(cls, table: Mapping[str, object]) -> "Weights":
        """From the document of `weights.json`."""
        match table:
            case {"rows": dict(rows), "bias": list(bias)}:
                return cls({name: tuple(row) for name, row in rows.items()}, tuple(bias))
            case _:
                msg = "the table of weights lacks rows or bias"
                raise ValueError(msg)

    def weigh(self, features: Features) -> Weighed:
        rows = self.rows
        known = [(name, value, rows[name]) for name, value in features.items() if name in rows]
        values = [value for _, value, _ in known]
        columns = zip(self.bias, *[row for _, _, row in known], strict=False)
        sums = [sum(map(mul, values, weights), float(bias)) for bias, *weights in columns]
        task, task_sure = _likeliest(sums[: len(TASKS)])
        level, level_sure = _likeliest(sums[len(TASKS) :])
        place = len(TASKS) + level
        return Weighed(
            task=TASKS[task],
            task_confidence=task_sure,
            complexity=COMPLEXITIES[level],
            complexity_confidence=level_sure,
            task_reasons={name: value * row[task] for name, value, row in known if row[task]},
            complexity_reasons={
                name: value * row[place] for name, value, row in known if row[place]
            },
        )


def _likeliest(scores: Sequence[float]) -> tuple[int, float]:
    """Its place, and how likely it is."""
    best = max(range(len(scores)), key=scores.__getitem__)
    return best, 1 / sum(exp((score - scores[best]) / UNIT) for score in scores)


def strongest(reasons: Mapping[str, float]) -> tuple[str, ...]:
    """Names of the features that speak for it most, the strongest first, `MAX_SIGNALS` at most."""
    telling = [name for name, value in reasons.items() if value >= LEAST_SIGNAL]
    return tuple(sorted(telling, key=lambda name: -reasons[name])[:MAX_SIGNALS])
