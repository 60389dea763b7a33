"""What an answer says: read from the very bytes that the caller would get."""

from collections.abc import Mapping
from typing import Any, Final

from penstock_sidecar.dialects import (
    anthropic,
    ollama,
    ollama_generate,
    openai_chat,
    openai_completions,
    openai_responses,
)
from penstock_sidecar.dialects.dialect import Garbled, ProviderSide, SaidError
from penstock_sidecar.dialects.document import parse
from penstock_sidecar.dialects.quirks import PLAIN
from penstock_sidecar.dialects.splitter import EventTooLarge, Splitter
from penstock_sidecar.dialects.sse import DONE
from penstock_sidecar.dialects.whole import Whole
from penstock_sidecar.errors import UpstreamAnswerTooLong, UpstreamGarbled
from penstock_sidecar.model import Api, JsonObject

MAX_BYTES: Final = 8 * 1024 * 1024
"""Of one answer: all of them are held until one is chosen. A stream of 8 MiB has about 30,000
tokens."""
READERS: Final[Mapping[Api, ProviderSide[Any]]] = {
    "openai-chat": openai_chat.providers(PLAIN),
    "openai-completions": openai_completions.PROVIDERS,
    "openai-responses": openai_responses.PROVIDERS,
    "anthropic-messages": anthropic.PROVIDERS,
    "ollama-chat": ollama.PROVIDERS,
    "ollama-generate": ollama_generate.PROVIDERS,
}
"""Of the APIs whose answers are texts."""


class Reading:
    """Of one answer, chunk by chunk. Raises `UpstreamGarbled` for what nobody can read, and
    `UpstreamAnswerTooLong`."""

    def __init__(self, api: Api, label: str, *, stream: bool) -> None:
        self._side = READERS[api]
        self._label = label
        self._stream = stream
        self._splitter = Splitter(self._side.framing.end)
        self._reader = self._side.stream_reader(1)
        self._plain: list[bytes] = []
        self._whole = Whole()
        self._size_bytes = 0

    def add(self, data: bytes) -> None:
        self._size_bytes += len(data)
        if self._size_bytes > MAX_BYTES:
            raise UpstreamAnswerTooLong(
                f"the answer of {self._label} is too long to be compared with others: ask for a"
                " shorter one, or a single model",
                code="answer_too_long",
            )
        if not self._stream:
            self._plain.append(data)
            return
        try:
            self._splitter.feed(data)
            while frame := self._splitter.next():
                self._read_frame(frame)
        except (Garbled, SaidError, ValueError, EventTooLarge) as error:
            raise self._garbled("cannot be read") from error

    def text(self) -> str:
        """Of the whole answer: its words, or those by which the model refused; without thoughts."""
        if not self._stream:
            self._read_plain()
        choice = self._whole.first
        return choice.text.strip() or choice.refusal.strip()

    def _read_frame(self, frame: bytes) -> None:
        data = self._side.framing.payload(frame)
        if not data or data == DONE:
            return
        for event in self._reader.read(_object(parse(data))):
            self._whole.add(event)

    def _read_plain(self) -> None:
        try:
            for event in self._side.read_plain(_object(parse(b"".join(self._plain)))):
                self._whole.add(event)
        except (Garbled, SaidError, ValueError) as error:
            raise self._garbled("cannot be read") from error

    def _garbled(self, what: str) -> UpstreamGarbled:
        return UpstreamGarbled(f"the answer of {self._label} {what}")


def _object(document: object) -> JsonObject:
    if isinstance(document, dict):
        return document
    msg = "no object"
    raise ValueError(msg)
