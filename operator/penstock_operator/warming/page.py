"""Warming's part of a RoutePolicy's status: what was queued, what is next, what is in the way."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from penstock_config.cache_layout import MAX_WARMING
from penstock_operator.api.reference import ConfigMapKeyReference
from penstock_operator.status import (
    MAX_MESSAGE_CHARACTERS,
    Condition,
    WarmingReason,
    former_conditions,
)
from penstock_operator.warming.prompts import Prompts

Document = dict[str, Any]
Fault = tuple[WarmingReason, str]
"""Why not all prompts are asked, and what to change."""
Verdict = tuple[Literal["True", "False"], WarmingReason, str]
CONDITION: Final = "Warmed"
SHOWN_LINES: Final = 5
SCHEDULED: Final = "Prompts of ConfigMap {name}, key {key}, are queued next at {next}."
NOT_FOUND: Final = (
    "spec.cache.warm.configMapRef: there is no ConfigMap {name} in this namespace: make it"
)
KEY_MISSING: Final = "spec.cache.warm.configMapRef: ConfigMap {name} has no key {key}: add it"
NOT_PERMITTED: Final = (
    "spec.cache.warm.configMapRef: the operator may not read ConfigMap {name}: call it"
    " penstock-warming, or add its name to the chart's warming.configMaps"
)
NO_PROMPTS: Final = "ConfigMap {name}, key {key}, holds no prompts: write one a line"
UNREADABLE: Final = (
    "ConfigMap {name}, key {key}: line {lines} begins with a brace and is no chat request in JSON;"
    " all other lines are asked"
)
TOO_MANY: Final = "ConfigMap {name}, key {key}, holds more than {most} prompts: the first are asked"
NOT_READ: Final = "ConfigMap {name} could not be read: see the operator's log"
NEVER_DUE: Final = "spec.cache.warm.schedule: {wrong}; until it is mended nothing is asked"
QUEUED: Final = "{count} prompts were queued for {at}: sidecars of this policy ask them."
NO_REDIS: Final = "PENSTOCK_REDIS_URL is not set, so that sidecars cannot be told what to ask"
AWAY: Final = "Redis did not take the prompts of {at}: see the operator's log"


@dataclass(frozen=True, slots=True)
class Queued:
    """Prompts that were given to the sidecars."""

    at: datetime
    """When they were due."""
    count: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one policy's warming."""

    generation: int
    ref: ConfigMapKeyReference
    next: datetime | None
    """`None` where the schedule is none; a fault says so."""
    queued: Queued | None = None
    fault: Fault | None = None


def fault_of(ref: ConfigMapKeyReference, prompts: Prompts) -> Fault | None:
    """What is wrong with what was read."""
    named = {"name": ref.name, "key": ref.key}
    if prompts.unreadable:
        lines = ", ".join(map(str, prompts.unreadable[:SHOWN_LINES]))
        more = len(prompts.unreadable) - SHOWN_LINES
        shown = f"{lines} (and {more} more)" if more > 0 else lines
        return "PromptsUnreadable", UNREADABLE.format(**named, lines=shown)
    if prompts.left_out:
        return "TooManyPrompts", TOO_MANY.format(**named, most=MAX_WARMING)
    if not prompts.entries:
        return "NoPrompts", NO_PROMPTS.format(**named)
    return None


def status_of(facts: Facts, former: Mapping[str, Any], now: datetime) -> Document:
    """All that warming says of the policy; `former` is what it said before."""
    warming: Document = {}
    if facts.queued:
        warming["lastScheduleTime"] = text_of(facts.queued.at)
        warming["lastQueued"] = facts.queued.count
    if facts.next:
        warming["nextScheduleTime"] = text_of(facts.next)
    document: Document = {"warming": warming} if warming else {}
    return {**document, "conditions": [_condition(facts, former, now).document()]}


def own_part(status: Mapping[str, Any]) -> Document:
    """What warming said, of a whole status."""
    found: Document = {"warming": status["warming"]} if status.get("warming") else {}
    conditions = [c for c in status.get("conditions") or () if c.get("type") == CONDITION]
    return {**found, "conditions": conditions} if conditions else found


def queued_in(status: Mapping[str, Any]) -> Queued | None:
    """What `status_of` said was queued last; `None` where that cannot be read."""
    found = status.get("warming")
    if not isinstance(found, Mapping):
        return None
    at, count = found.get("lastScheduleTime"), found.get("lastQueued")
    try:
        return Queued(datetime.fromisoformat(str(at)), int(str(count)))
    except ValueError:
        return None


def text_of(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _condition(facts: Facts, former: Mapping[str, Any], now: datetime) -> Condition:
    status, reason, message = _verdict(facts)
    before = former_conditions(former.get("conditions") or ()).get(CONDITION)
    since = before.since if before is not None and before.status == status else now
    message = message[:MAX_MESSAGE_CHARACTERS]
    return Condition(CONDITION, status, reason, message, facts.generation, since)


def _verdict(facts: Facts) -> Verdict:
    if facts.fault:
        return "False", *facts.fault
    next_ = text_of(facts.next) if facts.next else "no time"
    text = SCHEDULED.format(name=facts.ref.name, key=facts.ref.key, next=next_)
    return "True", "Scheduled", text
