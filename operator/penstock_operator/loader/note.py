"""What the loader remembers of a model between two looks: data, and how it changes. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

LONGEST_PAUSE_SECONDS: Final = 300.0
SETTLED_SECONDS: Final = 600.0
"""Who stays in memory for so long is believed to have room there."""
MAX_DOUBLINGS: Final = 10


@dataclass(frozen=True, slots=True)
class Note:
    """Times are seconds of the loop's clock, but for `expires_at`."""

    failures: int = 0
    """In a row."""
    retry_at: float = 0.0
    message: str = ""
    """Of the last failure, as long as nothing has succeeded since."""
    confirmed: bool = False
    """A load was answered since it was last seen absent: it answers requests."""
    loaded_digest: str = ""
    """Of what was on disk then: a model that was made anew is to be loaded anew."""
    alias: str = ""
    """The name under which `/api/ps` lists its weights, where they are another model's too."""
    expires_at: datetime | None = None
    """When it would leave memory by itself, as it was last seen there."""
    loaded_at: float | None = None
    """Since when it is in memory; `None`: it is not, or never was."""
    was_loaded: bool = False
    losses: int = 0
    """How often it left memory before its time."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long after a failure something is tried again."""

    first_seconds: float
    luck: Callable[[], float]
    """0 to 1: spreads replicas that failed at the same moment."""

    def after(self, failures: int) -> float:
        """Of a row, the more the longer."""
        doubled = self.first_seconds * 2.0 ** min(failures - 1, MAX_DOUBLINGS)
        return min(doubled, LONGEST_PAUSE_SECONDS) * (0.8 + 0.4 * self.luck())


def failed(note: Note, words: str, now: float, pauses: Pauses) -> Note:
    failures = note.failures + 1
    retry_at = now + pauses.after(failures)
    return replace(note, failures=failures, retry_at=retry_at, message=words)


def succeeded(note: Note) -> Note:
    return replace(note, failures=0, retry_at=0.0, message="")


def loaded(note: Note, digest: str, alias: str, now: float) -> Note:
    return replace(
        succeeded(note),
        confirmed=True,
        loaded_digest=digest,
        was_loaded=True,
        alias=alias,
        loaded_at=now,
    )


def seen(note: Note, expires_at: datetime | None, now: float) -> Note:
    """It is in memory."""
    settled = note.loaded_at is not None and now - note.loaded_at > SETTLED_SECONDS
    return replace(
        note,
        expires_at=expires_at,
        loaded_at=now if note.loaded_at is None else note.loaded_at,
        losses=0 if settled else note.losses,
    )


def left(note: Note) -> Note:
    """It is not in memory, and may be absent."""
    return replace(note, confirmed=False, loaded_at=None, alias="")


LOST: Final = (
    "left memory before its time, {} times in a row: Ollama restarts, or makes room for another"
    " model, and they do not fit together"
)


def lost(note: Note, now: float, pauses: Pauses) -> Note:
    """It was in memory and should be. The first time it is loaded again at once."""
    losses = note.losses + 1
    gone = replace(left(note), losses=losses)
    if losses == 1:
        return gone
    retry_at = now + pauses.after(losses)
    return replace(gone, retry_at=retry_at, message=LOST.format(losses))
