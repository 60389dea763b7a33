"""What an embedding request asks for, in no dialect's words. Never printed: it is the caller's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Input: TypeAlias = str | Sequence[int]
"""A text, or one that the caller has cut into tokens of the model's."""
Task = Literal["query", "document", "classification", "clustering"]
"""What a vector is for: those of queries and of what they shall find may differ."""


@dataclass(frozen=True, slots=True, repr=False)
class Texts:
    """One vector for each of `inputs`. `None` leaves it to the provider."""

    inputs: tuple[Input, ...]
    dimensions: int | None = None
    task: Task | None = None
    cut: bool | None = None
    """Inputs that are too long are cut to fit; False: they are an error."""
    user: str | None = None
    spelled: Mapping[str, str] = field(default_factory=dict)
    """What the caller calls fields whose names differ: `{"inputs": "input"}`."""

    def name_of(self, field_name: str) -> str:
        """Path of the field in the caller's document."""
        return self.spelled.get(field_name, field_name)
