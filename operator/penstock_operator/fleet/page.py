"""The fleet's part of an LLMProvider's status: where replicas go, and how far they have come."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

from penstock_operator.fleet.facts import Facts, ModelFacts, models_of, ready_of, serving
from penstock_operator.fleet.verdicts import Verdict, loading, on_gpu, scheduling
from penstock_operator.ollama.planner.types import Group, Need
from penstock_operator.status import (
    MAX_MESSAGE_CHARACTERS,
    Condition,
    FleetConditionType,
    former_conditions,
)

Document = dict[str, Any]
FIELDS: Final[tuple[str, ...]] = (
    "placement",
    "loading",
    "replicas",
    "readyReplicas",
    "lastRequestTime",
)
CONDITIONS: Final[tuple[FleetConditionType, ...]] = ("Scheduled", "ModelsReady", "FullyOnGPU")
MAX_GROUPS: Final = 1000
MAX_MODELS: Final = 64
REQUEST_TIME_SECONDS: Final = 60.0
"""`lastRequestTime` alone is no reason to write more often."""
SHOWN_GROUPS: Final = 4
MAX_TEXT: Final = 1024
News = tuple[Literal["Normal", "Warning"], str, str, tuple[str, ...]]
"""Type, reason, message, and what tells this occasion from others."""


def status_of(facts: Facts, former: Mapping[str, Any], now: datetime) -> Document:
    """All that is said; `former` is what was said before."""
    models = models_of(facts)
    verdicts: dict[FleetConditionType, Verdict | None] = {
        "Scheduled": scheduling(facts),
        "ModelsReady": loading(facts, models),
        "FullyOnGPU": on_gpu(facts, models),
    }
    before = former_conditions(former.get("conditions") or ())
    conditions = []
    for type_, verdict in verdicts.items():
        if verdict is None:
            continue
        status, reason, message = verdict
        was = before.get(type_)
        since = was.since if was is not None and was.status == status else now
        text = message[:MAX_MESSAGE_CHARACTERS]
        conditions.append(
            Condition(type_, status, reason, text, facts.generation, since).document()
        )
    return {
        "conditions": conditions,
        "placement": [_placement(facts, group) for group in facts.groups[:MAX_GROUPS]],
        "loading": [_loading(model, facts.needs.get(model.name)) for model in models[:MAX_MODELS]],
        **_replicas(facts, former),
    }


def own_part(status: Mapping[str, Any]) -> Document:
    """What the fleet said, of a whole status."""
    found: Document = {name: status[name] for name in FIELDS if name in status}
    said = [c for c in status.get("conditions") or () if c.get("type") in CONDITIONS]
    return found | ({"conditions": said} if said else {})


def with_dropped(document: Document, former: Document) -> Document | None:
    """`document` with what only `former` said; `None` where it says no less.

    Server-side apply removes what we own alone, and old servers (1.20) forget who owns a status
    when somebody replaces the object: what is to go is taken first.
    """
    said = {each["type"] for each in document.get("conditions") or ()}
    dropped = [c for c in former.get("conditions") or () if c["type"] not in said]
    fields: Document = {
        name: former[name] for name in FIELDS if name in former and name not in document
    }
    if not dropped and not fields:
        return None
    return {**document, **fields, "conditions": [*(document.get("conditions") or ()), *dropped]}


def is_urgent(document: Document, former: Document) -> bool:
    """Whether more has changed than how far something has come."""
    return _firm(document) != _firm(former)


def wanted_in(document: Mapping[str, Any]) -> int | None:
    """How many replicas were wanted when it was written; `None` where it does not say."""
    found = document.get("replicas")
    return found if isinstance(found, int) and found >= 0 else None


def last_request_in(document: Mapping[str, Any]) -> datetime | None:
    """As `status_of` wrote it; `None` where it cannot be read."""
    said = document.get("lastRequestTime")
    try:
        return datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return None


def news_of(document: Document, former: Document, now: datetime) -> list[News]:
    """What is worth an Event: how many, where, and what is in the way."""
    found = [_scaled(document, former, now), _placed(document, former, now)]
    found += [
        _turned(document, former, "Scheduled", "Unschedulable"),
        _turned(document, former, "ModelsReady", None),
    ]
    return [each for each in found if each is not None]


def _placement(facts: Facts, group: Group) -> Document:
    line: Document = {
        "group": group.name,
        "models": list(group.models),
        "loaded": list(group.loaded),
        "replicas": group.replicas,
        "readyReplicas": ready_of(facts, group.name),
        "message": group.why[:MAX_TEXT],
    }
    if group.node is not None:
        line["node"] = group.node
    if group.resources:
        line["requiredMiB"] = group.required_mib
    return line


def _loading(model: ModelFacts, need: Need | None) -> Document:
    line: Document = {"name": model.name, "state": model.state, "loaded": model.loaded}
    if model.percent is not None:
        line["percent"] = model.percent
    if need is not None and need.weights_mib:
        line |= {"requiredMiB": need.total_mib(), "source": need.source}
    if model.vram_mib:
        line["vramMiB"] = model.vram_mib
    if model.message:
        line["message"] = model.message[:MAX_TEXT]
    return line


def _replicas(facts: Facts, former: Mapping[str, Any]) -> Document:
    names = [model.name for model in facts.ollama.models]
    line: Document = {"replicas": facts.wanted, "readyReplicas": serving(facts.pods, names)}
    at = facts.last_request
    if at is None:
        return line
    written = last_request_in(former)
    if written and 0 <= (at - written).total_seconds() < REQUEST_TIME_SECONDS:
        return {**line, "lastRequestTime": _text(written)}
    return {**line, "lastRequestTime": _text(at)}


def _firm(document: Document) -> Document:
    """Without what moves while models are pulled and requests come."""
    lines = [
        {key: value for key, value in each.items() if key not in {"percent", "vramMiB"}}
        for each in document.get("loading") or ()
    ]
    conditions = [
        {key: value for key, value in each.items() if key != "message"}
        for each in document.get("conditions") or ()
    ]
    firm = {**document, "loading": lines, "conditions": conditions}
    firm.pop("lastRequestTime", None)
    return firm


def _scaled(document: Document, former: Document, now: datetime) -> News | None:
    before, after = wanted_in(former), wanted_in(document)
    if before is None or after is None or before == after:
        return None
    text = f"{after} replicas are wanted in place of {before}."
    return "Normal", "Scaled", text, (_text(now), str(after))


def _placed(document: Document, former: Document, now: datetime) -> News | None:
    """Only where it is new, and of what has a place."""
    before = {(each["group"], each.get("node")) for each in former.get("placement") or ()}
    fresh = [
        each
        for each in document.get("placement") or ()
        if each["replicas"] and each.get("node") and (each["group"], each["node"]) not in before
    ]
    if not fresh:
        return None
    shown = "; ".join(_shown(each) for each in fresh[:SHOWN_GROUPS])
    more = f"; and {len(fresh) - SHOWN_GROUPS} more" if len(fresh) > SHOWN_GROUPS else ""
    groups = tuple(each["group"] for each in fresh)
    return "Normal", "Placed", f"{shown}{more}", (_text(now), *groups)


def _shown(line: Document) -> str:
    return f"{', '.join(line['models'])} on node {line['node']}: {line['message']}"


def _turned(
    document: Document, former: Document, type_: FleetConditionType, reason: str | None
) -> News | None:
    """That a condition has become bad, or is so for another cause; without a `reason` of its own
    by the condition's, of failures alone."""
    after, before = _condition(document, type_), _condition(former, type_)
    if after is None or after["status"] != "False":
        return None
    if before is not None and before["reason"] == after["reason"]:
        return None
    cause = str(after["reason"])
    if reason is None and cause not in {"PullFailed", "CreateFailed", "PodFailing"}:
        return None
    occasion = (type_, cause, str(after["lastTransitionTime"]))
    return "Warning", reason or cause, str(after["message"]), occasion


def _condition(document: Document, type_: str) -> Document | None:
    found: Sequence[Document] = document.get("conditions") or ()
    return next((each for each in found if each.get("type") == type_), None)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
