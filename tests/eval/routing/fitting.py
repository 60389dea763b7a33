"""Fits the classifier's two linear models: plain Python, no randomness but a seeded order.

Tasks by multinomial logistic regression, complexity by proportional odds (McCullagh, 1980); both
by Adagrad (Duchi et al., 2011) with a ridge penalty.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from random import Random

from penstock_config.classification import COMPLEXITIES, TASKS
from penstock_sidecar.classify.weights import UNIT

TASK_COLUMNS = len(TASKS)
EPOCHS = 60
RATE = 0.15
MOST_STEP = 30.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What is known of one prompt: features, and the places of its labels."""

    features: Mapping[str, float]
    task: int
    level: int


@dataclass(frozen=True, slots=True)
class Penalties:
    task: float = 0.004
    level: float = 0.004
    rarest: int = 3
    """Features of fewer samples are left out."""


def fitted(samples: Sequence[Sample], penalties: Penalties) -> dict[str, object]:
    """The document of `weights.json`: integers, in hundredths."""
    seen = Counter(name for sample in samples for name in sample.features)
    names = sorted(name for name, times in seen.items() if times >= penalties.rarest)
    place = {name: index for index, name in enumerate(names)}
    rows = [
        ([(place[n], v) for n, v in s.features.items() if n in place], s.task, s.level)
        for s in samples
    ]
    tasks = _tasks(rows, len(names), penalties.task)
    levels = _levels(rows, len(names), penalties.level)
    return {
        "rows": {
            name: [*(_rounded(column[index]) for column in tasks), _rounded(levels[index])]
            for name, index in place.items()
        },
        "bias": [*(_rounded(column[-1]) for column in tasks), 0],
        "thresholds": [_rounded(limit) for limit in levels[len(names) :]],
    }


Row = tuple[list[tuple[int, float]], int, int]


def _tasks(rows: Sequence[Row], size: int, penalty: float) -> list[list[float]]:
    """A column of weights for each task, its bias last."""
    columns = [[0.0] * (size + 1) for _ in range(TASK_COLUMNS)]
    squares = [[1e-8] * (size + 1) for _ in range(TASK_COLUMNS)]
    for values, task, _ in _shuffled(rows):
        scores = [c[-1] + sum(c[i] * v for i, v in values) for c in columns]
        most = max(scores)
        odds = [exp(score - most) for score in scores]
        total = sum(odds)
        for index, (column, square) in enumerate(zip(columns, squares, strict=True)):
            error = odds[index] / total - (index == task)
            for i, v in values:
                _step(column, square, i, error * v + penalty * column[i])
            _step(column, square, size, error)
    return columns


def _levels(rows: Sequence[Row], size: int, penalty: float) -> list[float]:
    """Weights, then the thresholds between the levels."""
    limits = len(COMPLEXITIES) - 1
    weights = [0.0] * size + [float(2 * place - limits + 1) for place in range(limits)]
    squares = [1e-8] * len(weights)
    for values, _, level in _shuffled(rows):
        score = sum(weights[i] * v for i, v in values)
        # Each threshold is a yes-or-no question: is it harder than that?
        errors = [
            1 / (1 + exp(-max(-MOST_STEP, min(MOST_STEP, score - weights[size + place]))))
            - (level > place)
            for place in range(limits)
        ]
        total = sum(errors)
        for i, v in values:
            _step(weights, squares, i, total * v + penalty * weights[i])
        for place, error in enumerate(errors):
            _step(weights, squares, size + place, -error)
    return weights


def _step(weights: list[float], squares: list[float], index: int, gradient: float) -> None:
    squares[index] += gradient * gradient
    weights[index] -= RATE * gradient / squares[index] ** 0.5


def _shuffled(rows: Sequence[Row]) -> Iterator[Row]:
    order, random = list(rows), Random(6)
    for _ in range(EPOCHS):
        random.shuffle(order)
        yield from order


def _rounded(weight: float) -> int:
    return round(weight * UNIT)
