"""What a request is about, and how hard: the words that rules and tiers use."""

from typing import Annotated, Literal

from pydantic import Field

Complexity = Literal["simple", "medium", "complex", "expert"]
Task = Literal[
    "chat", "coding", "creative", "extract", "reasoning", "summarise", "translate", "vision"
]
Modality = Literal["text", "image", "audio"]
Fraction = Annotated[str, Field(max_length=6, pattern=r"^(0(\.[0-9]{1,4})?|1(\.0{1,4})?)$")]
"""A share, "0" to "1", as a decimal string."""
Quality = Annotated[str, Field(max_length=4, pattern=r"^(10(\.0)?|[0-9](\.[0-9])?)$")]
"""How good answers are, "0.0" to "10.0"."""
