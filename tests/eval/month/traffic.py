"""The month's requests: questions of the evaluation set, with what applications send along."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from penstock_config.classification import Complexity, Task
from penstock_sidecar.metering.estimate import estimate_input
from penstock_sidecar.model import Classification, Request
from penstock_sidecar.normalise.openai import parse_chat
from tests.eval.month.truth import Truth
from tests.eval.routing.prompts import Prompt

Classify = Callable[[Request], Classification]

BYTES_PER_TOKEN: Final = 4
CONTEXTS: Final = 12
"""So many different materials are sent along."""
MATERIAL: Final = (
    "Section {}. The lock keeper notes the level above and below the gate at six in the morning and"
    " at six in the evening, and reports by telephone when they differ by more than two metres.\n"
)


@dataclass(frozen=True, slots=True)
class Question:
    """A request of the evaluation set, read and classified once: what it truly is beside it."""

    request: Request
    input_tokens: int
    found: Classification
    task: Task
    complexity: Complexity


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of the month. `luck` decides which answers to it are right, the same whoever
    gives them: a question is as hard for all."""

    at: float
    question: Question
    output_tokens: int
    luck: float


def visits(
    prompts: Sequence[Prompt], truth: Truth, classify: Classify, random: Random
) -> Iterator[Visit]:
    """In order of time."""
    pool = _Pool(prompts, truth, classify, random)
    tasks, complexities = tuple(truth.tasks), tuple(truth.complexity)
    for at in truth.times(random):
        [task] = random.choices(tasks, tuple(truth.tasks.values()))
        [complexity] = random.choices(complexities, tuple(truth.complexity.values()))
        question = pool.drawn(task, complexity)
        median = math.log(truth.output[question.complexity])
        tokens = round(random.lognormvariate(median, truth.spread))
        yield Visit(at, question, max(1, tokens), random.random())


class _Pool:
    """Questions by what they truly are."""

    def __init__(
        self, prompts: Sequence[Prompt], truth: Truth, classify: Classify, random: Random
    ) -> None:
        self._context, self._random, self._classify = truth.context, random, classify
        self._materials = [self._material() for _ in range(CONTEXTS)]
        self._prompts: dict[tuple[Task, Complexity], list[Prompt]] = {}
        for prompt in prompts:
            self._prompts.setdefault((prompt.task, prompt.complexity), []).append(prompt)
        self._read: dict[tuple[str, int], Question] = {}

    def drawn(self, task: Task, complexity: Complexity) -> Question:
        """Of the same complexity, where there is none of this task."""
        prompts = self._prompts.get((task, complexity)) or [
            p for (_, own), each in self._prompts.items() if own == complexity for p in each
        ]
        prompt = self._random.choice(prompts)
        with_material = self._random.random() < self._context.share
        number = self._random.randrange(CONTEXTS) if with_material else -1
        key = (prompt.id, number)
        if key not in self._read:
            self._read[key] = self._question(prompt, number)
        return self._read[key]

    def _question(self, prompt: Prompt, number: int) -> Question:
        document = json.loads(prompt.body())
        if number >= 0:
            material = {"role": "system", "content": self._materials[number]}
            document["messages"].insert(0, material)
        request = parse_chat(json.dumps(document).encode(), {}, "month")
        tokens = estimate_input(request).tokens
        return Question(request, tokens, self._classify(request), prompt.task, prompt.complexity)

    def _material(self) -> str:
        tokens = self._random.lognormvariate(math.log(self._context.median), self._context.spread)
        sections = max(1, round(tokens * BYTES_PER_TOKEN / len(MATERIAL)))
        return "Answer from these notes.\n" + "".join(map(MATERIAL.format, range(1, sections + 1)))
