"""Delivery's part of a RoutePolicy's status: who runs it, and whether that is everybody. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from penstock_operator.delivery.standing import Counts
from penstock_operator.status import (
    MAX_MESSAGE_CHARACTERS,
    Condition,
    DeliveryReason,
    former_conditions,
)

Document = dict[str, Any]
FIELDS: Final = ("sidecars", "configDigest", "lastProgrammedTime")
MAX_ERROR_CHARACTERS: Final = 300
NOT_PROGRAMMED: Final = (
    "This version of the RoutePolicy is not in what sidecars are told: see Programmed."
)
NO_SIDECARS: Final = "It is written, and no pod is ruled by it."
CURRENT: Final = "{total} of {total} sidecars run the newest configuration."
STALE: Final = "{current} of {total} sidecars run the newest configuration; {stale} do not yet"
WITHOUT: Final = ", {without} of them because the pod has no sidecar: see its owner's events."
REJECTED: Final = "{rejected} of {total} sidecars refused the newest configuration: {error}"
UNKNOWN: Final = (
    "Nobody knows what the sidecars run, because Redis, where they say it, does not answer the"
    " operator, or PENSTOCK_REDIS_URL is not set: see its log."
)
Verdict = tuple[Literal["True", "False", "Unknown"], DeliveryReason, str]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one policy."""

    generation: int
    programmed: bool
    """Whether this generation of it is in what is published."""
    counts: Counts | None
    """`None` where its namespace's configuration was not compiled, so that none can be told."""
    config_digest: str | None


def status_of(facts: Facts, former: Mapping[str, Any], now: datetime) -> Document:
    """All that delivery says of the policy; `former` is what it said before."""
    document: Document = {}
    if facts.counts is not None:
        document["sidecars"] = _sidecars(facts.counts)
    if facts.config_digest:
        same = former.get("configDigest") == facts.config_digest
        since = former.get("lastProgrammedTime") if same else None
        document["configDigest"] = facts.config_digest
        document["lastProgrammedTime"] = since or _text(now)
    document["conditions"] = [_ready(facts, former, now).document()]
    return document


def own_part(status: Mapping[str, Any]) -> Document:
    """What delivery said, of a whole status."""
    found: Document = {name: status[name] for name in FIELDS if name in status}
    found["conditions"] = [c for c in status.get("conditions") or () if c.get("type") == "Ready"]
    return found


def is_programmed(conditions: Mapping[str, Mapping[str, object]], generation: int) -> bool:
    """Whether the condition `Programmed`, by type, is True of this generation."""
    found = conditions.get("Programmed", {})
    return found.get("status") == "True" and found.get("observedGeneration") == generation


def _sidecars(counts: Counts) -> Document:
    """With one unknown, only how many there are is sure."""
    if counts.unknown:
        return {"total": counts.total}
    return {
        "total": counts.total,
        "current": counts.current,
        "stale": counts.stale,
        "rejected": counts.rejected,
    }


def _ready(facts: Facts, former: Mapping[str, Any], now: datetime) -> Condition:
    status, reason, message = _verdict(facts)
    before = former_conditions(former.get("conditions") or ()).get("Ready")
    since = before.since if before is not None and before.status == status else now
    message = message[:MAX_MESSAGE_CHARACTERS]
    return Condition("Ready", status, reason, message, facts.generation, since)


def _verdict(facts: Facts) -> Verdict:
    counts = facts.counts
    if not facts.programmed or counts is None:
        return "False", "NotProgrammed", NOT_PROGRAMMED
    return _of_sidecars(counts)


def _of_sidecars(counts: Counts) -> Verdict:
    if counts.total == 0:
        return "True", "NoSidecars", NO_SIDECARS
    if counts.rejected:
        error = counts.error[:MAX_ERROR_CHARACTERS]
        text = REJECTED.format(rejected=counts.rejected, total=counts.total, error=error)
        return "False", "SidecarsRejected", text
    if counts.unknown:
        return "Unknown", "SidecarsUnknown", UNKNOWN
    if counts.stale:
        return "False", "SidecarsStale", _stale(counts)
    return "True", "SidecarsCurrent", CURRENT.format(total=counts.total)


def _stale(counts: Counts) -> str:
    text = STALE.format(current=counts.current, total=counts.total, stale=counts.stale)
    return text + (WITHOUT.format(without=counts.without) if counts.without else ".")


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
