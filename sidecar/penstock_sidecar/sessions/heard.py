"""What a model answered, read from what its caller gets, streamed or plain."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from penstock_sidecar.dialects import anthropic, ollama, openai_chat
from penstock_sidecar.dialects.dialect import Garbled, ProviderSide, SaidError
from penstock_sidecar.dialects.document import parse
from penstock_sidecar.dialects.events import (
    Counted,
    Ended,
    Event,
    Finish,
    Started,
    TextPiece,
    ThoughtPiece,
)
from penstock_sidecar.dialects.quirks import PLAIN
from penstock_sidecar.dialects.splitter import EventTooLarge, Splitter
from penstock_sidecar.dialects.sse import DONE
from penstock_sidecar.dialects.whole import Whole
from penstock_sidecar.model import Api

SIDES: Final[Mapping[Api, ProviderSide[Any]]] = {
    "openai-chat": openai_chat.providers(PLAIN),
    "anthropic-messages": anthropic.PROVIDERS,
    "ollama-chat": ollama.PROVIDERS,
}
"""Who reads what we write: each dialect's own reader of a provider's answers."""
COMPLETE: Final[frozenset[Finish]] = frozenset({"stop", "length"})
"""An answer at its bound is all there is of it: the caller may ask to go on."""


class Heard:
    """Of one answer. Costs its caller nothing but a parse: what cannot be read is not heard."""

    def __init__(self, api: Api, *, stream: bool, max_characters: int) -> None:
        self._side = SIDES[api]
        self._splitter = Splitter(self._side.framing.end)
        self._reader = self._side.stream_reader(1) if stream else None
        self._whole = Whole()
        self._left_characters = max_characters
        self._over = False
        self._given_up = False

    def add(self, data: bytes) -> None:
        try:
            for event in self._events(data):
                self._take(event)
        except (Garbled, SaidError, EventTooLarge, ValueError):
            self._given_up = True

    @property
    def said(self) -> str | None:
        """The text, once the answer is complete; None for a refusal, and where tools are called:
        what they lead to comes in another request."""
        choice = self._whole.first
        complete = self._over and choice.finish in COMPLETE
        if self._given_up or not complete or choice.calls or choice.refusal:
            return None
        return choice.text if choice.text.strip() else None

    def _take(self, event: Event) -> None:
        """Thoughts are not said again."""
        match event:
            case ThoughtPiece() | Started() | Counted():
                return
            case TextPiece():
                self._left_characters -= len(event.text)
            case Ended():
                self._over = True
            case _:
                pass
        self._whole.add(event)
        if self._left_characters < 0:
            self._given_up = True
            self._whole = Whole()

    def _events(self, data: bytes) -> Iterator[Event]:
        if self._given_up:
            return
        if self._reader is None:
            document = parse(data)
            if isinstance(document, dict):
                yield from self._side.read_plain(document)
            return
        self._splitter.feed(data)
        while (frame := self._splitter.next()) is not None:
            payload = self._side.framing.payload(frame)
            if payload == DONE:
                yield from self._reader.over()
            elif payload and isinstance(document := parse(payload), dict):
                yield from self._reader.read(document)
