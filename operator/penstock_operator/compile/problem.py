"""What is wrong with a resource, as a value: it becomes a condition, an event, a line of output."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]
ConditionType = Literal["Accepted", "ResolvedRefs", "Programmed", "Enforced", "Conflicted"]


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """One custom resource."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """An error takes the object (or the part that has it) out of effect; a warning does not."""

    object: ObjectRef
    condition: ConditionType
    """Which condition it makes False (`Conflicted`: True)."""
    reason: str
    """CamelCase, from a closed set: see `docs/reference/conditions.md`."""
    message: str
    """A sentence that says what to change. Never holds a secret's value."""
    severity: Severity = "error"
    path: str = ""
    """Where in the object, such as `spec.rules[0].tier`."""
