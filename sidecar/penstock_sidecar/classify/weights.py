"""How much each feature says for each task, and for a higher complexity: a table of integers.

`weights.json` is written by `python -m tests.eval.routing.tune`; nobody edits it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from math import exp
from typing import Final

from penstock_config.classification import COMPLEXITIES, TASKS, Complexity, Task
from penstock_sidecar.classify.features import Features
from penstock_sidecar.model import Classification

UNIT: Final = 100
"""Weights are hundredths of a natural logarithm of odds."""
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
    """The same for a higher complexity."""

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
    """A row per feature: a column for each task, in the order of `TASKS`, then one for complexity.

    A linear model of each: multinomial for the task, of proportional odds (McCullagh, 1980) with
    three `thresholds` for the complexity.
    """

    rows: Mapping[str, tuple[int, ...]]
    bias: tuple[int, ...]
    thresholds: tuple[int, ...]

    @classmethod
    def load(cls) -> "Weights":
        text = files("penstock_sidecar.classify").joinpath("weights.json").read_text("utf-8")
        return cls.of(json.loads(text))

    @classmethod
    def of(cls, table: Mapping[str, object]) -> "Weights":
        """From the document of `weights.json`."""
        rows, bias, thresholds = (table.get(name) for name in ("rows", "bias", "thresholds"))
        if not (isinstance(rows, dict) and isinstance(bias, list) and isinstance(thresholds, list)):
            msg = "the table of weights lacks rows, bias or thresholds"
            raise ValueError(msg)  # noqa: TRY004  # the table is wrong, not its type
        return cls({name: tuple(row) for name, row in rows.items()}, tuple(bias), tuple(thresholds))

    def weigh(self, features: Features) -> Weighed:
        rows = self.rows
        known = [(name, value, rows[name]) for name, value in features.items() if name in rows]
        sums = list(map(float, self.bias))
        for _, value, row in known:
            for column, weight in enumerate(row):
                if weight:
                    sums[column] += value * weight
        *scores, hardness = sums
        best = max(range(len(TASKS)), key=scores.__getitem__)
        complexity, sure = self._complexity(hardness)
        return Weighed(
            task=TASKS[best],
            task_confidence=1 / sum(exp((score - scores[best]) / UNIT) for score in scores),
            complexity=complexity,
            complexity_confidence=sure,
            task_reasons={name: value * row[best] for name, value, row in known if row[best]},
            complexity_reasons={name: value * row[-1] for name, value, row in known if row[-1]},
        )

    def _complexity(self, hardness: float) -> tuple[Complexity, float]:
        """The likeliest, and how likely it is."""
        above = [1.0, *(_logistic((hardness - limit) / UNIT) for limit in self.thresholds), 0.0]
        likely = [more - most for more, most in pairwise(above)]
        best = max(range(len(COMPLEXITIES)), key=likely.__getitem__)
        return COMPLEXITIES[best], likely[best]


def strongest(reasons: Mapping[str, float]) -> tuple[str, ...]:
    """Names of the features that add most, the strongest first; at most `MAX_SIGNALS`."""
    telling = [name for name, value in reasons.items() if abs(value) >= LEAST_SIGNAL]
    return tuple(sorted(telling, key=lambda name: -abs(reasons[name]))[:MAX_SIGNALS])


def _logistic(odds: float) -> float:
    return 1 / (1 + exp(-max(-40.0, min(40.0, odds))))
