"""What a request is about, and how hard: the words of rules, tiers and explanations."""

from typing import Final, Literal, get_args

Complexity = Literal["simple", "medium", "complex", "expert"]
Task = Literal[
    "chat", "coding", "creative", "extract", "reasoning", "summarise", "translate", "vision"
]
COMPLEXITIES: Final[tuple[Complexity, ...]] = get_args(Complexity)
"""From easy to hard."""
TASKS: Final[tuple[Task, ...]] = get_args(Task)
