"""A provider's answer as chunks: read in its dialect, and passed on or written in the caller's."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, NamedTuple, Protocol

from penstock_sidecar.dialects.dialect import Garbled, SaidError, StreamReader, StreamWriter
from penstock_sidecar.dialects.document import parse
from penstock_sidecar.dialects.events import Ended, Event
from penstock_sidecar.dialects.framing import Framing
from penstock_sidecar.dialects.splitter import EventTooLarge, Splitter
from penstock_sidecar.dialects.sse import DONE
from penstock_sidecar.errors import StreamBroken, UpstreamGarbled
from penstock_sidecar.model import Chunk, JsonObject
from penstock_sidecar.upstream.incoming import Source
from penstock_sidecar.upstream.refusal import Refusals
from penstock_sidecar.upstream.seen import chunk_of

ENDED: Final = (Ended(),)


class Piece(NamedTuple):
    """Of a stream: its bytes, what they hold, and what that says. `frame` is empty for an end that
    the provider left out, `document` for a comment and the end."""

    frame: bytes
    document: JsonObject
    events: Sequence[Event] = ()


class Sink(Protocol):
    """What the caller gets of a piece."""

    def at_once(self, frame: bytes) -> Chunk | None:
        """For one that needs no reading."""

    def data(self, piece: Piece) -> bytes: ...


class Passed:
    """The provider's own bytes, less what only we asked for."""

    def __init__(
        self,
        hides: Callable[[JsonObject], bool],
        end: bytes,
        usual_text: Callable[[bytes], bytes | None] = lambda _frame: None,
    ) -> None:
        self._hides = hides
        self._end = end
        self._usual_text = usual_text

    def at_once(self, frame: bytes) -> Chunk | None:
        text = self._usual_text(frame)
        return None if text is None else Chunk(frame, not text.isspace(), len(text))

    def data(self, piece: Piece) -> bytes:
        if not piece.frame:
            return self._end
        return b"" if piece.document and self._hides(piece.document) else piece.frame


class Written:
    """The same in another dialect."""

    def __init__(self, writer: StreamWriter) -> None:
        self._writer = writer

    def at_once(self, _frame: bytes) -> None:
        """Another dialect's bytes are never the caller's."""

    def data(self, piece: Piece) -> bytes:
        return b"".join([self._writer.write(event) for event in piece.events])


class AnswerStream:
    """Chunks of a stream, one for each frame. Ends after the one that ends the answer."""

    def __init__(
        self,
        incoming: Source,
        refusals: Refusals,
        framing: Framing,
        reader: StreamReader,
        sink: Sink,
    ) -> None:
        self._incoming = incoming
        self._refusals = refusals
        self._framing = framing
        self._splitter = Splitter(framing.end)
        self._reader = reader
        self._sink = sink
        self._ended = False

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        if self._ended:
            await self._incoming.drain()
            raise StopAsyncIteration
        chunk = self._chunk(await self._frame())
        if chunk.content:
            self._incoming.content_came()
        self._ended = chunk.end
        return chunk

    async def _frame(self) -> bytes:
        """The next one; empty when the stream is over."""
        try:
            while (frame := self._splitter.next()) is None:
                data = await self._incoming.read()
                if not data:
                    return self._last()
                self._splitter.feed(data)
        except EventTooLarge:
            raise self._broken("sent an event beyond all bounds") from None
        return frame

    def _last(self) -> bytes:
        """Some servers leave out the end of the last frame."""
        rest = self._splitter.rest().strip()
        self._splitter = Splitter(self._framing.end)
        return rest + self._framing.last if rest else b""

    def _chunk(self, frame: bytes) -> Chunk:
        return self._sink.at_once(frame) or self._read(frame)

    def _read(self, frame: bytes) -> Chunk:
        data = self._framing.payload(frame) if frame else b""
        if frame and not data:
            return Chunk(self._sink.data(Piece(frame, {})))
        try:
            document = self._document(data) if data and data != DONE else {}
            events = self._events(data, document)
            written = self._sink.data(Piece(frame, document, events))
        except Garbled as error:
            raise self._broken(str(error)) from None
        except SaidError as error:
            raise self._refusals.in_band(self._incoming.label, error.value) from None
        return chunk_of(written, events)

    def _events(self, data: bytes | None, document: JsonObject) -> Sequence[Event]:
        if not data:
            return tuple(self._reader.over())
        return ENDED if data == DONE else tuple(self._reader.read(document))

    def _document(self, data: bytes) -> JsonObject:
        try:
            document = parse(data)
        except ValueError:
            raise Garbled("sent an event that is not JSON") from None
        if not isinstance(document, dict):
            raise Garbled("sent an event that is no object")
        return document

    def _broken(self, what: str) -> StreamBroken:
        return StreamBroken(f"{self._incoming.label} {what}")


Plain = Callable[[bytes, Sequence[Event]], bytes]
"""What the caller gets of a whole answer."""


async def plain_chunk(
    incoming: Source,
    refusals: Refusals,
    read: Callable[[JsonObject], Sequence[Event]],
    write: Plain,
    parsed: Callable[[bytes], object],
) -> Chunk:
    """A whole answer as one chunk."""
    body = await incoming.read_all()
    try:
        document = parsed(body)
    except ValueError:
        raise UpstreamGarbled(f"{incoming.label} answered with what is not JSON") from None
    if not isinstance(document, dict):
        raise UpstreamGarbled(f"{incoming.label} answered with what is no JSON object")
    try:
        events = read(document)
        written = write(body, events)
    except Garbled as error:
        raise UpstreamGarbled(f"{incoming.label} {error}") from None
    except SaidError as error:
        raise refusals.in_band(incoming.label, error.value) from None
    return chunk_of(written, events, plain=True)
