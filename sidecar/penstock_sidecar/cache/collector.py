"""What a request's answer leaves behind while it goes by, if it may be kept at all.

Costs a caller nothing but a parse per chunk: whatever cannot be kept is given up, never an error.
"""

from dataclasses import dataclass
from typing import Final

import orjson

from penstock_sidecar.cache.forms import NotUnderstood
from penstock_sidecar.cache.forms.pieces import is_exact, parsed
from penstock_sidecar.cache.question import Question
from penstock_sidecar.model import Candidate, Chunk, Usage

TOO_DEEP: Final = (orjson.JSONEncodeError, RecursionError)
"""What nested documents raise: orjson reads 1024 levels, but writes 254."""


@dataclass(frozen=True, slots=True, repr=False)
class Collected:
    """A whole plain answer."""

    body: bytes
    usage: Usage


class Collector:
    """Takes every chunk of one answer, streamed or plain."""

    def __init__(self, question: Question, candidate: Candidate, max_bytes: int) -> None:
        self.question: Final = question
        self.candidate: Final = candidate
        streams = question.form.streams
        self._assembly = streams.assembly() if question.request.stream and streams else None
        self._plain = b""
        self._max_bytes = max_bytes
        self._usage: Usage | None = None
        self._ended = False
        self.given_up = False

    def add(self, chunk: Chunk) -> None:
        if self.given_up:
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
        self.given_up = True
        self._plain = b""
        self._assembly = None

    def collected(self) -> Collected | None:
        """None unless the answer came to its normal end, was not empty, and its usage is known."""
        if self.given_up or not self._ended or self._usage is None:
            return None
        try:
            body = self._whole(self._usage)
        except (NotUnderstood, *TOO_DEEP):
            return None
        return Collected(body, self._usage) if body is not None else None

    def _take(self, data: bytes) -> int:
        """How many bytes are held now, about."""
        if self._assembly:
            self._assembly.add(data)
            return self._assembly.size_bytes
        self._plain += data
        return len(self._plain)

    def _whole(self, usage: Usage) -> bytes | None:
        document = self._assembly.document(usage) if self._assembly else parsed(self._plain)
        if not self.question.form.whole(document, self.question.request):
            return None
        written = orjson.dumps(document)  # what could not be written could not be streamed either
        if not is_exact(document, written):
            return None
        return written if self._assembly else self._plain
