"""What answers of all dialects have in common: vectors in order, and the tokens of their texts."""

from collections.abc import Iterator, Sequence
from typing import NoReturn

from penstock_sidecar.dialects.dialect import Garbled
from penstock_sidecar.dialects.embeddings.vectors import Values
from penstock_sidecar.dialects.events import Counted, Ended, Event, Started, Vector
from penstock_sidecar.model import Usage


def events_of(model: str, vectors: Sequence[Vector], usage: Usage | None) -> Iterator[Event]:
    yield Started(model=model)
    yield from vectors
    if usage:
        yield Counted(usage)
    yield Ended()


def in_order(events: Sequence[Event], texts: int) -> list[Values]:
    """One for each of so many texts, or none at all. Raises `Garbled`: who pairs texts with the
    vectors of others finds out late."""
    vectors = [event for event in events if isinstance(event, Vector)]
    if vectors and len(vectors) != texts:
        raise Garbled(f"answered with {len(vectors)} embeddings of {texts} texts")
    return [vector.values for vector in sorted(vectors, key=lambda vector: vector.index)]


def model_of(events: Sequence[Event]) -> str:
    """Empty where the provider says none."""
    return next((event.model for event in events if isinstance(event, Started)), "")


def usage_of(events: Sequence[Event]) -> Usage | None:
    return next((event.usage for event in events if isinstance(event, Counted)), None)


def never_streamed(_: object) -> NoReturn:
    """In place of a stream's reader or writer."""
    msg = "vectors come whole"
    raise AssertionError(msg)
