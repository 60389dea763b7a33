"""Fits the classifier's weights: plain Python, no randomness but a seeded order.

Two multinomial logistic regressions, by Adagrad (Duchi et al., 2011) with a ridge penalty.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from random import Random
from typing import Final

from penstock_config.classification import COMPLEXITIES, TASKS
from penstock_sidecar.classify.weights import UNIT

EPOCHS: Final = 30
AVERAGED: Final = 15
"""Weights are the mean of those at the end of so many last epochs: one order of the samples is
luck."""
RATE: Final = 0.2
PENALTY: Final = 0.015
"""Of a feature that every sample has. One that is rarer pays more where it occurs, by the square
root of how much rarer: what few samples vouch for is trusted little."""
RAREST: Final = 3
"""Features of fewer samples are left out."""
NEVER: Final = -10_000
"""The bias of a task that no sample has: pictures decide it, not words."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What is known of one prompt: features, and the places of its labels; `task` is `None` where
    words do not decide it."""

    features: Mapping[str, float]
    task: int | None
    level: int


@dataclass(frozen=True, slots=True)
class Row:
    """A sample's features by their places, and which class it is."""

    values: Sequence[tuple[int, float]]
    label: int


def fitted(samples: Sequence[Sample]) -> dict[str, object]:
    """The document of `weights.json`: integers, in hundredths."""
    seen = Counter(name for sample in samples for name in sample.features)
    place = {name: i for i, name in enumerate(sorted(n for n in seen if seen[n] >= RAREST))}

    def values(sample: Sample) -> Sequence[tuple[int, float]]:
        return [(place[n], v) for n, v in sample.features.items() if n in place]

    by_task = [Row(values(s), s.task) for s in samples if s.task is not None]
    by_level = [Row(values(s), s.level) for s in samples]
    columns = [
        *_regression(by_task, len(place), len(TASKS)),
        *_regression(by_level, len(place), len(COMPLEXITIES)),
    ]
    return {
        "bias": [round(column[-1] * UNIT) for column in columns],
        "rows": {n: [round(column[i] * UNIT) for column in columns] for n, i in place.items()},
    }


def _regression(rows: Sequence[Row], size: int, classes: int) -> list[list[float]]:
    """A column of weights for each class, its bias last."""
    often = Counter(i for row in rows for i, _ in row.values)
    penalties = [PENALTY * (len(rows) / max(1, often[i])) ** 0.5 for i in range(size)]
    columns = [[0.0] * (size + 1) for _ in range(classes)]
    squares = [[1e-8] * (size + 1) for _ in range(classes)]
    late = [[0.0] * (size + 1) for _ in range(classes)]
    for number, row in enumerate(_shuffled(rows), 1):
        _learn(row, columns, squares, penalties)
        if number % len(rows) == 0 and number > len(rows) * (EPOCHS - AVERAGED):
            late = [_sum(*pair) for pair in zip(late, columns, strict=True)]
    columns = [[weight / AVERAGED for weight in column] for column in late]
    present = {row.label for row in rows}
    for index in set(range(classes)) - present:
        columns[index] = [0.0] * size + [NEVER / UNIT]
    return columns


def _learn(
    row: Row, columns: list[list[float]], squares: list[list[float]], penalties: Sequence[float]
) -> None:
    scores = [c[-1] + sum(c[i] * v for i, v in row.values) for c in columns]
    most = max(scores)
    odds = [exp(score - most) for score in scores]
    total = sum(odds)
    for index, (column, square) in enumerate(zip(columns, squares, strict=True)):
        error = odds[index] / total - (index == row.label)
        for i, v in row.values:
            _step(column, square, i, error * v + penalties[i] * column[i])
        _step(column, square, len(penalties), error)


def _sum(some: Sequence[float], others: Sequence[float]) -> list[float]:
    return [a + b for a, b in zip(some, others, strict=True)]


def _step(weights: list[float], squares: list[float], index: int, gradient: float) -> None:
    squares[index] += gradient * gradient
    weights[index] -= RATE * gradient / squares[index] ** 0.5


def _shuffled(rows: Sequence[Row]) -> Iterator[Row]:
    order, random = list(rows), Random(6)
    for _ in range(EPOCHS):
        random.shuffle(order)
        yield from order
