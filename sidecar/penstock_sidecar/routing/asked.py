"""What choosing among candidates needs to know of a request."""

from dataclasses import dataclass

from penstock_config.classification import Complexity, Task
from penstock_sidecar.model import Classification, Request


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, its size and its kind."""

    request: Request
    input_tokens: int
    """An estimate."""
    task: Task = "chat"
    complexity: Complexity = "medium"

    @classmethod
    def of(cls, request: Request, input_tokens: int, found: Classification) -> "Asked":
        return cls(request, input_tokens, found.task, found.complexity)
