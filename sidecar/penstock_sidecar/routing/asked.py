"""What choosing among candidates needs to know of a request."""

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from penstock_config.classification import Complexity, Task
from penstock_sidecar.model import Classification, Request
from penstock_sidecar.values import dataclass

OUTPUT_TOKENS: Final[Mapping[Complexity, int]] = {
    "simple": 150,
    "medium": 500,
    "complex": 1_000,
    "expert": 2_000,
}
"""How long answers are: guesses. All candidates are compared by the same."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, its size and its kind."""

    request: Request
    input_tokens: int
    """An estimate."""
    task: Task = "chat"
    complexity: Complexity = "medium"
    answer_tokens: int = field(init=False, compare=False)
    """Of one answer, probably, by a model that knows no maximum."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "answer_tokens", _answer_tokens(self.request, self.complexity))

    @classmethod
    def of(cls, request: Request, input_tokens: int, found: Classification) -> "Asked":
        return cls(request, input_tokens, found.task, found.complexity)

    def output_tokens(self, most: int | None) -> int:
        """Of all answers together, probably; `most` is the model's own maximum."""
        tokens = self.answer_tokens
        if most is not None and most < tokens:
            tokens = most
        return tokens * self.request.choices


def _answer_tokens(request: Request, complexity: Complexity) -> int:
    if request.embeds:
        return 0
    tokens, asked = OUTPUT_TOKENS[complexity], request.max_output_tokens
    return tokens if asked is None else min(tokens, asked)
