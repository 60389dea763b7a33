"""How well a classifier does on labelled requests, and how it is shown."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from penstock_config.classification import COMPLEXITIES, TASKS
from penstock_sidecar.model import Request
from penstock_sidecar.normalise.openai import parse_chat
from tests.eval.routing.prompts import Prompt

Verdict = tuple[str, str]
"""Task and complexity."""
Matrix = Counter[tuple[str, str]]
"""How many that are the first were taken for the second."""
TIMES: Final = 5
"""Each request is classified so often, and its best time counts: others are the machine's."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A share of the requests, and the least that it must be."""

    name: str
    share: float
    least: float

    @property
    def met(self) -> bool:
        return self.share >= self.least


@dataclass(frozen=True, slots=True)
class Scores:
    """What was found for each prompt."""

    prompts: Sequence[Prompt]
    found: Sequence[Verdict]
    micros: Sequence[float]
    """Time of each, in microseconds."""

    def goals(self) -> tuple[Goal, ...]:
        pairs = list(zip(self.prompts, self.found, strict=True))
        apart = [_place(p.complexity) - _place(complexity) for p, (_, complexity) in pairs]
        number = len(pairs)
        return (
            Goal("task", sum(p.task == task for p, (task, _) in pairs) / number, 0.85),
            Goal("complexity, exact", sum(not d for d in apart) / number, 0.75),
            Goal("complexity, within one", sum(abs(d) <= 1 for d in apart) / number, 0.95),
        )

    def percentile_micros(self, percent: int) -> float:
        ordered = sorted(self.micros)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]

    def tables(self) -> str:
        """Two confusion matrices: what it is down, what it was taken for across."""
        pairs = list(zip(self.prompts, self.found, strict=True))
        tasks: Matrix = Counter((p.task, task) for p, (task, _) in pairs)
        levels: Matrix = Counter((p.complexity, complexity) for p, (_, complexity) in pairs)
        return _matrix(tasks, TASKS) + "\n\n" + _matrix(levels, COMPLEXITIES)


def score(prompts: Sequence[Prompt], classify: Callable[[Request], Verdict]) -> Scores:
    found, micros = [], []
    for prompt in prompts:
        request = request_of(prompt)
        times = []
        for _ in range(TIMES):
            began = perf_counter()
            verdict = classify(request)
            times.append(perf_counter() - began)
        found.append(verdict)
        micros.append(min(times) * 1e6)
    return Scores(prompts, found, micros)


def request_of(prompt: Prompt) -> Request:
    """As the sidecar parses it."""
    return parse_chat(prompt.body(), {}, prompt.id)


def _place(complexity: str) -> int:
    return list(map(str, COMPLEXITIES)).index(complexity)


def _matrix(counts: Matrix, names: Sequence[str]) -> str:
    width = max(map(len, names)) + 2
    head = " " * width + "".join(name[:9].rjust(10) for name in names)
    rows = (
        name.ljust(width) + "".join(str(counts[name, other] or ".").rjust(10) for other in names)
        for name in names
    )
    return "\n".join((head, *rows))
