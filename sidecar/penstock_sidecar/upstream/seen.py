"""What the stages want to know of a piece of an answer: how much, and whether it says something."""

from collections.abc import Sequence
from typing import Final

from penstock_sidecar.dialects.events import (
    CallPiece,
    Counted,
    Ended,
    Event,
    Finished,
    OtherPiece,
    RefusalPiece,
    TextPiece,
    ThoughtPiece,
    Vector,
)
from penstock_sidecar.model import Chunk

CONTENT_FILTER: Final = "content_filter"
"""A finish that is an answer without text: the provider refuses."""


def chunk_of(data: bytes, events: Sequence[Event], *, plain: bool = False) -> Chunk:
    """White space counts as bytes, not as an answer; nor does thinking, where nothing follows, nor
    its signature."""
    if len(events) == 1 and isinstance(events[0], TextPiece):  # most pieces of a stream
        text = events[0].text
        return Chunk(data, content=not text.isspace(), text_bytes=_utf8_bytes(text))
    finishes = [event.reason for event in events if isinstance(event, Finished)]
    counts = [event.usage for event in events if isinstance(event, Counted)]
    return Chunk(
        data,
        content=any(_says_something(event, plain=plain) for event in events),
        text_bytes=sum(map(_text_bytes, events)),
        usage=counts[-1] if counts else None,
        finish=finishes[0] if finishes else None,
        end=bool(events) and isinstance(events[-1], Ended),
    )


def _says_something(event: Event, *, plain: bool) -> bool:
    match event:
        case TextPiece(text=text) | RefusalPiece(text=text):
            return not text.isspace()
        case ThoughtPiece():
            return not plain and bool(event.text or event.redacted)
        case Finished():
            return event.reason == CONTENT_FILTER
        case Vector():
            return len(event.values) > 0
        case _:
            return isinstance(event, CallPiece | OtherPiece)


def _text_bytes(event: Event) -> int:
    match event:
        case TextPiece(text=text) | RefusalPiece(text=text) | ThoughtPiece(text=text):
            return _utf8_bytes(text)
        case CallPiece():
            return _utf8_bytes(event.name) + _utf8_bytes(event.arguments)
        case _:
            return 0


def _utf8_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
