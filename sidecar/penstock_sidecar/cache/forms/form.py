"""What a cache has to know of an API: how its answers are kept, and given again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from penstock_sidecar.model import JsonObject, Request, Usage

COMMON: Final = frozenset(
    {
        "model",  # replaced by the target: a tier's name and `auto` may mean the same
        "stream",  # how the answer is delivered: streams and plain answers serve each other
        "cache",  # instructions to this cache
    }
)
"""Fields of a request that no answer of any API depends on."""


class NotUnderstood(Exception):
    """A piece of a stream that cannot be put together with the others."""


class Assembly(Protocol):
    """Pieces of one stream go in, the plain answer comes out."""

    @property
    def size_bytes(self) -> int:
        """About how much is held."""

    def add(self, data: bytes) -> None:
        """Takes what the caller got, however it was cut. Raises `NotUnderstood`."""

    def document(self, usage: Usage, /) -> JsonObject:
        """The answer, once it has ended. `usage` speaks where the stream itself had none to show.
        Raises `NotUnderstood`."""


@dataclass(frozen=True, slots=True)
class Streams:
    """How an API streams. `replayed` takes a whole answer as it is kept, and whether its usage was
    asked for where that is the caller's choice; it gives the events, each whole."""

    content_type: str
    assembly: Callable[[], Assembly]
    replayed: Callable[[JsonObject, bool], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Form:
    """Of one API. `whole` says whether a plain answer is all that the request asked for: complete,
    with a normal end, not empty, its usage told, and nothing in it that could not be streamed."""

    whole: Callable[[JsonObject, Request], bool]
    streams: Streams | None
    """None where answers are never streamed."""
    ignored: frozenset[str] = COMMON
    """Fields of the document, at its top, that leave the answer as it is. Everything else counts,
    known or not: a list of fields that do count is how caches come to give wrong answers
    (limits_cache.md, 3.3)."""
    headers: tuple[str, ...] = ()
    """Of the caller's, in lower case: those that the provider gets to see."""
    keeps: Callable[[Request], bool] = lambda _: True
    """False for requests whose answers are good once only."""
    temperature: Callable[[JsonObject], object] = lambda document: document.get("temperature")
    """As the request says it; None where it says nothing."""
