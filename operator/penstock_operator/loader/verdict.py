"""What of a model is there, and what is to be done next for it. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from penstock_operator.loader.note import Note
from penstock_operator.loader.wire import Installed, Running
from penstock_operator.ollama.models_file import ModelOrder
from penstock_operator.ollama.progress import State

Step = Literal["Pull", "Create", "Load"]
ROUND_UP: Final = timedelta(seconds=3)
"""Between the last look that saw it and the moment it went."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A model, now."""

    order: ModelOrder
    note: Note
    installed: Installed | None = None
    current: bool = True
    """Made from the order as it is now; a pulled one always is."""
    running: Running | None = None
    busy: State | None = None
    """What is being done for it."""
    keep_alive_seconds: int | None = None
    on_demand: bool = False
    """Whether more are ordered than stay in memory: others may take its place."""
    others_running: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """`serves`: requests for it are answered, by its former self where it is made anew."""

    state: State
    step: Step | None = None
    message: str = ""
    serves: bool = False


@dataclass(frozen=True, slots=True)
class Clocks:
    """`now`: the loop's. `today`: the wall's, which Ollama's expiry is told in."""

    now: float
    today: datetime


def judged(fact: Fact, clocks: Clocks) -> Verdict:
    serves = fact.running is not None and fact.note.confirmed
    found = _busy(fact) or _on_disk(fact) or _in_memory(fact, clocks.today)
    if found.step is not None and fact.note.retry_at > clocks.now:
        found = Verdict("Failed", message=fact.note.message)
    return replace(found, serves=serves or found.state in {"Ready", "Idle"})


def _busy(fact: Fact) -> Verdict | None:
    return None if fact.busy is None else Verdict(fact.busy, message=fact.note.message)


def _on_disk(fact: Fact) -> Verdict | None:
    if fact.installed is not None and fact.current:
        return None
    step: Step = "Pull" if fact.order.source == "pull" else "Create"
    return Verdict("Waiting", step, fact.note.message)


def _in_memory(fact: Fact, today: datetime) -> Verdict:
    if fact.running is not None and is_loaded(fact):
        return Verdict("Ready")
    if belongs_in_memory(fact, today):
        return Verdict("Loading", "Load", fact.note.message)
    return Verdict("Idle" if fact.running is None else "Ready")


def is_loaded(fact: Fact) -> bool:
    """As it is on disk now, and we were told so."""
    digest = fact.installed.digest if fact.installed is not None else ""
    return fact.note.confirmed and fact.note.loaded_digest == digest


def belongs_in_memory(fact: Fact, today: datetime) -> bool:
    """Not so what left by its right: unused for `keep_alive`, or for another model on demand."""
    if not fact.order.loaded or fact.keep_alive_seconds == 0:
        return False
    if fact.running is not None or not fact.note.was_loaded:
        return True
    if fact.on_demand and fact.others_running:
        return False
    return not has_expired(fact, today)


def has_expired(fact: Fact, today: datetime) -> bool:
    if fact.keep_alive_seconds is None or fact.note.expires_at is None:
        return False
    return fact.note.expires_at <= today + ROUND_UP
