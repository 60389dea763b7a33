"""What is wrong with a resource, as a value: it becomes a condition, an event, a line of output."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]
ConditionType = Literal["Accepted", "ResolvedRefs", "Programmed", "Enforced", "Conflicted"]

Reason = Literal[
    # Accepted
    "InvalidSpec",
    # ResolvedRefs
    "RefNotFound",
    "RefNotPermitted",
    "RefInvalid",
    "ModelNotFound",
    "NoCredentials",
    "SecretNotFound",
    "SecretKeyMissing",
    "SecretKeyInvalid",
    "SecretAccessNotGranted",
    "CandidateUnavailable",
    "NoCandidates",
    "TierUnavailable",
    "JudgeUnavailable",
    # Programmed
    "ConfigTooLarge",
    "ScopeKeyMissing",
    # Enforced
    "NotYetEnforced",
    "PriceUnknown",
    "PriceFromList",
    "WarnOnly",
    "CountedPerProvider",
    "BoostEnded",
    "AllReserved",
    "NoEffect",
    "FloorUnmet",
    "TooFewCandidates",
    "FigureUnknown",
    "NeedsNewerSidecar",
    "NoEmbedder",
    "ScheduleInvalid",
    "SizeUnknown",
    # Conflicted
    "Outranked",
]
"""Every reason a compilation gives; `docs/reference/conditions.md` says what to do about each."""


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """One custom resource."""

    kind: str
    namespace: str
    name: str

    @property
    def id(self) -> str:
        """`<namespace>/<name>`."""
        return f"{self.namespace}/{self.name}"

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """An error takes the object (or the part that has it) out of effect; a warning does not."""

    object: ObjectRef
    condition: ConditionType
    """Which condition it makes False (`Conflicted`: True)."""
    reason: Reason
    message: str
    """A sentence that says what to change. Never holds a secret's value."""
    severity: Severity = "error"
    path: str = ""
    """Where in the object, such as `spec.rules[0].tier`."""

    @property
    def text(self) -> str:
        """The message with its path before it: what conditions, events and callers read."""
        return f"{self.path}: {self.message}" if self.path else self.message
