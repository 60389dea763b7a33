"""Reads answers: documents of a stream, or a whole one; both have one shape.

A stream has no mark at its end: it is whole once its candidates have their `finishReason`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from penstock_sidecar.dialects.dialect import Garbled, SaidError
from penstock_sidecar.dialects.events import (
    CallPiece,
    Counted,
    Ended,
    Event,
    Finish,
    Finished,
    OtherPiece,
    Started,
    TextPiece,
    ThoughtPiece,
)
from penstock_sidecar.dialects.fields import object_of, objects_of, string_of
from penstock_sidecar.dialects.gemini.logprobs import logprobs_of
from penstock_sidecar.dialects.signatures import of_google
from penstock_sidecar.dialects.usage import usage_of_gemini
from penstock_sidecar.model import JsonObject

FINISHES: Final[Mapping[str, Finish]] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
}
"""All others that are no failures are filters: safety, recitation, block lists, personal data."""
FAILURES: Final = frozenset(
    "MALFORMED_FUNCTION_CALL UNEXPECTED_TOOL_CALL TOO_MANY_TOOL_CALLS MALFORMED_RESPONSE"  # noqa: SIM905  # words
    " MISSING_THOUGHT_SIGNATURE OTHER FINISH_REASON_UNSPECIFIED".split()
)
"""The model gave up: nothing, or half an answer."""
PIECES: Final = frozenset({"inlineData", "fileData", "executableCode", "codeExecutionResult"})


class GeminiReader:
    """Of a stream."""

    def __init__(self, _choices: int) -> None:
        self._started = False
        self._counted = False
        self._candidates: dict[int, Candidate] = {}

    def read(self, document: JsonObject) -> Iterator[Event]:
        if error := document.get("error"):
            raise SaidError(error)
        if not self._started:
            self._started = True
            names = (document.get("responseId"), document.get("modelVersion"))
            yield Started(*map(string_of, names))
        for place, candidate in objects_of(document.get("candidates")):
            yield from self._candidate(candidate.get("index"), place).read(candidate)
        if object_of(document.get("promptFeedback")).get("blockReason"):
            yield from self._candidate(0, 0).read({"finishReason": "SAFETY"})
        if usage := usage_of_gemini(document.get("usageMetadata")):
            self._counted = True
            yield Counted(usage)

    def over(self) -> Iterator[Event]:
        """No candidate at all is an answer without words, if it was counted."""
        whole = all(candidate.finished for candidate in self._candidates.values())
        if not whole or not (self._candidates or self._counted):
            raise Garbled("ended its answer half-way")
        yield Ended()

    def _candidate(self, index: object, place: int) -> "Candidate":
        found = index if isinstance(index, int) else place
        return self._candidates.setdefault(found, Candidate(found))


def read_answer(document: JsonObject) -> Iterator[Event]:
    reader = GeminiReader(1)
    yield from reader.read(document)
    yield from reader.over()


@dataclass(slots=True)
class Candidate:
    """One answer of those asked for, as far as it came."""

    index: int
    calls: int = 0
    spoke: bool = False
    finished: bool = False

    def read(self, document: JsonObject) -> Iterator[Event]:
        tokens = tuple(logprobs_of(document.get("logprobsResult")))
        for _, part in objects_of(object_of(document.get("content")).get("parts")):
            for piece in self._pieces(part, tokens):
                self.spoke = True
                yield piece
                tokens = () if isinstance(piece, TextPiece) else tokens
        if reason := string_of(document.get("finishReason")):
            self.finished = True
            yield Finished(self._finish(reason), self.index)

    def _pieces(self, part: JsonObject, tokens: tuple[JsonObject, ...]) -> Iterator[Event]:
        text, signature = string_of(part.get("text")), _signature(part)
        if "functionCall" in part:
            yield self._call(object_of(part["functionCall"]), signature)
        elif part.get("thought") is True:
            if text or signature:
                yield ThoughtPiece(text, signature, choice=self.index)
        else:
            if text:
                yield TextPiece(text, self.index, tokens)
            if signature:
                yield ThoughtPiece(signature=signature, choice=self.index)
            if part.keys() & PIECES:
                yield OtherPiece(self.index)

    def _call(self, call: JsonObject, signature: str | None) -> CallPiece:
        """Calls come whole; older models give them no ids."""
        place, self.calls = self.calls, self.calls + 1
        arguments = orjson.dumps(object_of(call.get("args"))).decode()
        name, id_ = string_of(call.get("name")), string_of(call.get("id"))
        return CallPiece(place, id_, name, arguments, signature, self.index)

    def _finish(self, reason: str) -> Finish:
        """A failure before the first word is an empty answer, which others may try to better."""
        if reason in FAILURES:
            if self.spoke:
                raise Garbled("gave up half-way")
            return "stop"
        if reason == "STOP" and self.calls:
            return "tool_calls"
        return FINISHES.get(reason, "content_filter")


def _signature(part: JsonObject) -> str | None:
    found = string_of(part.get("thoughtSignature"))
    return of_google(found) if found else None
