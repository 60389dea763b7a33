"""What a request's answer leaves behind while it goes by, if it may be kept at all.

Costs a caller nothing but a parse per chunk: whatever cannot be kept is given up, never an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from penstock_sidecar.cache.assembly import Assembly, NotUnderstood
from penstock_sidecar.cache.whole import is_whole
from penstock_sidecar.model import Candidate, Chunk, Request, Usage

TOO_DEEP: Final = (orjson.JSONEncodeError, RecursionError)
"""What nested documents raise: orjson reads 1024 levels, but writes 254."""


@dataclass(frozen=True, slots=True, repr=False)
class Collected:
    """A whole answer. `body` is a plain `chat.completion`."""

    body: bytes
    usage: Usage


class Collector:
    """Takes every chunk of one answer, streamed or plain."""

    def __init__(self, key: str, request: Request, candidate: Candidate, max_bytes: int) -> None:
        self.key: Final = key
        self.candidate: Final = candidate
        self.store_seconds: Final = request.cache_control.store_seconds
        self._assembly = Assembly() if request.stream else None
        self._plain = b""
        self._choices = request.choices
        self._max_bytes = max_bytes
        self._usage: Usage | None = None
        self._ended = False
        self._given_up = False

    def add(self, chunk: Chunk) -> None:
        if self._given_up:
            return
        self._usage = chunk.usage or self._usage
        self._ended = self._ended or chunk.end
        try:
            size_bytes = self._take(chunk.data)
        except (NotUnderstood, *TOO_DEEP):
            self.give_up()
        else:
            if size_bytes > self._max_bytes:
                self.give_up()

    def give_up(self) -> None:
        """Lets go of what came, and of all that follows."""
        self._given_up = True
        self._plain = b""
        self._assembly = None

    def collected(self) -> Collected | None:
        """None unless the answer came to its normal end, was not empty, and its usage is known."""
        if self._given_up or not self._ended or self._usage is None:
            return None
        document = self._assembly.document(self._usage) if self._assembly else _parsed(self._plain)
        if document is None or not is_whole(document, self._choices):
            return None
        try:
            encoded = orjson.dumps(document)
        except TOO_DEEP:
            return None  # it could be kept, but not replayed
        return Collected(encoded if self._assembly else self._plain, self._usage)

    def _take(self, data: bytes) -> int:
        """How many bytes are held now, about."""
        if self._assembly:
            self._assembly.add(data)
            return self._assembly.size_bytes
        self._plain += data
        return len(self._plain)


def _parsed(body: bytes) -> Mapping[str, object] | None:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, Mapping) else None
