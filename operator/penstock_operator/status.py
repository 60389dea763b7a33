"""Problems into the conditions of an object's status.

`Accepted`, `ResolvedRefs`, `Programmed` and `Enforced` are always there and good when True;
`Conflicted` is there only while True. Follows Kubernetes' API conventions: the time changes with
the status alone, `observedGeneration` is the generation that was looked at.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from penstock_operator.compile.problem import ConditionType, Problem

Programming = Literal["Programmed", "Pending", "WriteFailed", "NotReferenced", "Suspended"]
"""How far the object has come on its way to the sidecars, as its writer knows."""
BudgetConditionType = Literal["WithinBudget", "AlertThresholdReached", "Exhausted"]
"""What the ledger says of a Budget, beside what compiling it says."""
BudgetReason = Literal[
    "WithinBudget",
    "LimitReached",
    "RedisUnavailable",
    "ThresholdCrossed",
    "BelowThresholds",
    "MoneyLeft",
]
HealthConditionType = Literal["Healthy"]
"""What probes and sidecars say of an LLMProvider, beside what compiling it says."""
HealthReason = Literal[
    "Answering",
    "NotProbed",
    "ModelsFailing",
    "ProbesFailed",
    "CredentialsRejected",
    "NotInUse",
    "HealthUnknown",
]
DeliveryConditionType = Literal["Ready"]
"""What sidecars say of a RoutePolicy, beside what compiling it says."""
DeliveryReason = Literal[
    "SidecarsCurrent",
    "NoSidecars",
    "NotProgrammed",
    "SidecarsStale",
    "SidecarsRejected",
    "SidecarsUnknown",
]
FleetConditionType = Literal["Scheduled", "ModelsReady", "FullyOnGPU"]
"""What becomes of an LLMProvider that we run, beside what compiling it says."""
FleetReason = Literal[
    "Placed",
    "NothingWanted",
    "InsufficientVRAM",
    "NoGpuFree",
    "NoSuchGpu",
    "NotTolerated",
    "NoNode",
    "MemoryUnknown",
    "NodesNotRead",
    "NameUnusable",
    "NamespaceNotGranted",
    "WorkloadRefused",
    "Unschedulable",
    "Serving",
    "NoReplica",
    "Starting",
    "Pulling",
    "Creating",
    "Loading",
    "PullFailed",
    "CreateFailed",
    "PodFailing",
    "OnGpu",
    "PartlyOnCpu",
    "OnCpu",
    "NothingLoaded",
]
WarmingConditionType = Literal["Warmed"]
"""What becomes of the prompts of a RoutePolicy's `warm`, beside what compiling it says."""
WarmingReason = Literal[
    "Scheduled",
    "ConfigMapNotFound",
    "ConfigMapKeyMissing",
    "ConfigMapNotPermitted",
    "NoPrompts",
    "PromptsUnreadable",
    "TooManyPrompts",
    "NeverDue",
    "NotQueued",
]
StatusReason = Literal["Accepted", "ResolvedRefs", "Enforced", "Invalid"] | Programming
"""The reasons that no problem gives; `docs/reference/conditions.md` has them all."""

MAX_MESSAGE_CHARACTERS: Final = 1024
"""A condition is read by people; the API server would take 32,768."""

ALWAYS_SHOWN: Final[tuple[ConditionType, ...]] = (
    "Accepted",
    "ResolvedRefs",
    "Programmed",
    "Enforced",
)
GOOD: Final[Mapping[str, tuple[StatusReason, str]]] = {
    "Accepted": ("Accepted", "The {kind} is valid."),
    "ResolvedRefs": ("ResolvedRefs", "Everything the {kind} refers to was found."),
    "Enforced": ("Enforced", "Every field that is set has an effect."),
}
UNBOUND: Final = "Nothing that a RoutePolicy reaches is within spec.scope: the Budget binds nobody."
PROGRAMMING: Final[Mapping[Programming, str]] = {
    "Programmed": "The configuration with this {kind} is written.",
    "Pending": "The configuration with this {kind} is not written yet; nothing to do.",
    "WriteFailed": "The configuration could not be written; see the {kind}'s events.",
    "NotReferenced": "No RoutePolicy leads to this {kind}: refer to it to use it.",
    "Suspended": "The {kind} is suspended: set spec.suspended to false to use it.",
}
INVALID: Final = (
    "The {kind} is refused, see Accepted. Until it is mended, an invalid policy or tier denies "
    "its requests, an invalid provider is not used, a budget binds by what is clear in it."
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One entry of `status.conditions`."""

    type: (
        ConditionType
        | BudgetConditionType
        | DeliveryConditionType
        | FleetConditionType
        | HealthConditionType
        | WarmingConditionType
    )
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str
    observed_generation: int
    last_transition_time: datetime

    def document(self) -> dict[str, str | int]:
        """The condition as the API server stores it."""
        return {
            "type": self.type,
            "status": self.status,
            "reason": self.reason,
            "message": self.message,
            "observedGeneration": self.observed_generation,
            "lastTransitionTime": self.last_transition_time.astimezone(UTC).strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            ),
        }


@dataclass(frozen=True, slots=True)
class Former:
    """What is kept of a condition from before: its status, and since when."""

    status: str
    since: datetime


def former_conditions(documents: Iterable[Mapping[str, object]]) -> dict[str, Former]:
    """`status.conditions` as last written, by type. What cannot be read counts as not there."""
    found = {}
    for document in documents:
        type_, status = document.get("type"), document.get("status")
        since = _time(document.get("lastTransitionTime"))
        if isinstance(type_, str) and isinstance(status, str) and since is not None:
            found[type_] = Former(status, since)
    return found


def conditions(
    kind: str,
    generation: int,
    problems: Iterable[Problem],
    previous: Mapping[str, Former],
    now: datetime,
    programmed: Programming,
) -> tuple[Condition, ...]:
    """All conditions of one object; equal arguments give equal conditions, in a fixed order."""
    by_type: dict[str, list[Problem]] = {}
    for problem in sorted(problems, key=_worst_first):
        by_type.setdefault(problem.condition, []).append(problem)
    shown: tuple[ConditionType, ...] = ALWAYS_SHOWN
    if "Conflicted" in by_type:
        shown = (*shown, "Conflicted")
    made = []
    for type_ in shown:
        status, reason, message = _verdict(type_, by_type, programmed, kind)
        before = previous.get(type_)
        since = before.since if before is not None and before.status == status else now
        made.append(Condition(type_, status, reason, _shortened(message), generation, since))
    return tuple(made)


def _worst_first(problem: Problem) -> tuple[bool, str, str, str]:
    return problem.severity != "error", problem.path, problem.reason, problem.message


def _verdict(
    type_: ConditionType,
    by_type: Mapping[str, list[Problem]],
    programmed: Programming,
    kind: str,
) -> tuple[Literal["True", "False"], str, str]:
    """Status, reason and message of one condition."""
    if found := by_type.get(type_):
        return "True" if type_ == "Conflicted" else "False", found[0].reason, _summary(found)
    if type_ != "Programmed":
        reason, message = GOOD[type_]
        return "True", reason, message.format(kind=kind)
    if any(problem.severity == "error" for problem in by_type.get("Accepted", ())):
        return "False", "Invalid", INVALID.format(kind=kind)
    written: Literal["True", "False"] = "True" if programmed == "Programmed" else "False"
    unbound = kind == "Budget" and programmed == "NotReferenced"
    return written, programmed, UNBOUND if unbound else PROGRAMMING[programmed].format(kind=kind)


def _summary(problems: list[Problem]) -> str:
    more = len(problems) - 1
    return problems[0].text + (f" (and {more} more)" if more else "")


def _shortened(message: str) -> str:
    if len(message) <= MAX_MESSAGE_CHARACTERS:
        return message
    return message[: MAX_MESSAGE_CHARACTERS - 1] + "…"


def _time(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
