"""What every kind reports. In the schema of the CRD only: no decision reads it back."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from penstock_operator.api.base import ApiModel
from penstock_operator.api.lists import KeyedBy


class Condition(ApiModel):
    """As metav1.Condition."""

    type: str = Field(
        max_length=316,
        pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$",
        description="What is stated, in CamelCase.",
    )
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    observed_generation: int | None = Field(
        None, ge=0, description="`metadata.generation` of the object that was looked at."
    )
    last_transition_time: datetime = Field(description="When `status` last changed.")
    reason: str = Field(
        min_length=1,
        max_length=1024,
        pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
        description="Why, in one CamelCase word.",
    )
    message: str = Field(max_length=32_768, description="A sentence that says what to change.")


Conditions = Annotated[
    tuple[Condition, ...],
    Field(max_length=16, description="What holds for this object now, one entry for each type."),
    KeyedBy(("type",)),  # after the bound, or pydantic takes it for that of a string
]


class Status(ApiModel):
    """What every kind reports."""

    observed_generation: int | None = Field(
        None, ge=0, description="Newest `metadata.generation` that was looked at."
    )
    conditions: Conditions = ()


_ACCEPTED = '.status.conditions[?(@.type=="Accepted")]'

CONDITION_COLUMNS: Final = (
    ("Accepted", "string", f"{_ACCEPTED}.status", 0),
    ("Enforced", "string", '.status.conditions[?(@.type=="Enforced")].status', 0),
    ("Reason", "string", f"{_ACCEPTED}.reason", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
)
"""Printer columns of every kind: (name, OpenAPI type, JSONPath, priority)."""
