"""What an object's status and Events should say after a reconciliation. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from penstock_config.schema import SidecarConfig
from penstock_operator.cluster.events import Note
from penstock_operator.compile.problem import Problem
from penstock_operator.handlers.inventory import Seen
from penstock_operator.status import Condition, Programming, conditions, former_conditions

QUIET: Final = ("NotReferenced", "Suspended", "Pending")
"""Reasons of Programmed=False that are nobody's trouble."""
RECENT: Final = timedelta(minutes=10)
"""How far back a new leader makes up for Events that its forerunner may not have posted."""
UseMap = Mapping[tuple[str, str], frozenset[str]]
"""(kind, `<namespace>/<name>`) to the namespaces whose configuration holds it."""
Document = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Written:
    """How publishing went."""

    pending: frozenset[str] = frozenset()
    """Namespaces that were left as they are."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Namespace to what the API server said."""


@dataclass(frozen=True, slots=True)
class Report:
    """One object's conditions, whether they differ from what is there, and the news in them."""

    conditions: tuple[Condition, ...]
    changed: bool
    notes: tuple[Note, ...]


def uses(configs: Mapping[str, SidecarConfig]) -> UseMap:
    """Which namespaces' configurations hold an object."""
    found: dict[tuple[str, str], set[str]] = {}
    for namespace, config in configs.items():
        for kind, entries in (
            ("LLMProvider", config.providers),
            ("ModelTier", config.tiers),
            ("RoutePolicy", config.policies),
            ("Budget", config.budgets),
        ):
            for entry in entries:
                found.setdefault((kind, entry.id), set()).add(namespace)
    return {key: frozenset(namespaces) for key, namespaces in found.items()}


def programming(seen: Seen, used_by: frozenset[str], written: Written) -> Programming:
    """How far the object has come on its way to the sidecars."""
    if seen.resource is not None and getattr(seen.resource.spec, "suspended", False):
        return "Suspended"
    if not used_by:
        own = seen.ref.namespace in written.pending or seen.ref.kind == "RoutePolicy"
        return "Pending" if own else "NotReferenced"
    if used_by & written.failed.keys():
        return "WriteFailed"
    return "Pending" if used_by & written.pending else "Programmed"


def report(
    seen: Seen,
    problems: Iterable[Problem],
    programmed: Programming,
    now: datetime,
    *,
    failure: str = "",
    first: bool = False,
) -> Report:
    """`first`: this process has not reported on the object yet. `failure` goes into the Event."""
    faults = (seen.fault,) if seen.fault else ()
    made = conditions(
        seen.ref.kind,
        seen.generation,
        {*problems, *faults},
        former_conditions(seen.conditions),
        now,
        programmed,
    )
    former = {str(document.get("type")): document for document in seen.conditions}
    wanted = {condition.type: condition.document() for condition in made}
    changed = seen.observed_generation != seen.generation or wanted != _ours(former)
    notes = (
        *_bad_news(seen, made, former, failure, now - RECENT if first else None),
        *_good_news(seen, made, former, now),
    )
    return Report(made, changed, notes)


def _ours(former: Mapping[str, Document]) -> dict[str, Document]:
    types = {"Accepted", "ResolvedRefs", "Programmed", "Enforced", "Conflicted"}
    return {type_: document for type_, document in former.items() if type_ in types}


def _bad_news(
    seen: Seen,
    made: Iterable[Condition],
    former: Mapping[str, Document],
    failure: str,
    again_since: datetime | None,
) -> Iterator[Note]:
    """Conditions that went bad, or are bad for another reason now."""
    for condition in made:
        document = condition.document()
        if not _is_bad(document):
            continue
        before = former.get(condition.type, {})
        known = _is_bad(before) and before.get("reason") == condition.reason
        recent = again_since is not None and condition.last_transition_time >= again_since
        if known and not recent:
            continue
        text = failure if condition.reason == "WriteFailed" and failure else condition.message
        occasion = (condition.type, str(document["lastTransitionTime"]))
        yield note_of(seen, "Warning", condition.reason, text, occasion)


def _good_news(
    seen: Seen, made: Iterable[Condition], former: Mapping[str, Document], now: datetime
) -> Iterator[Note]:
    """Conditions that were bad and are good again."""
    by_type: dict[str, Document] = {each.type: each.document() for each in made}
    for type_, before in former.items():
        if not _is_bad(before):
            continue
        if type_ == "Conflicted" and type_ not in by_type:
            text = "No other policy outranks this one."
            yield note_of(seen, "Normal", "NotConflicted", text, (type_, now.isoformat()))
        elif (after := by_type.get(type_)) and type_ != "Conflicted" and after["status"] == "True":
            occasion = (type_, str(after["lastTransitionTime"]))
            yield note_of(seen, "Normal", str(after["reason"]), str(after["message"]), occasion)


def _is_bad(document: Document) -> bool:
    if document.get("type") == "Conflicted":
        return document.get("status") == "True"
    quiet = document.get("type") == "Programmed" and document.get("reason") in QUIET
    return document.get("status") == "False" and not quiet


def note_of(
    seen: Seen,
    type_: Literal["Normal", "Warning"],
    reason: str,
    message: str,
    occasion: tuple[str, ...],
) -> Note:
    """One about the object."""
    ref = seen.ref
    return Note(ref.kind, ref.namespace, ref.name, seen.uid, type_, reason, message, occasion)
