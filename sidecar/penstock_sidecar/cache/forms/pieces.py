"""Documents of a stream, put together with care: what is not understood is not kept, for a wrong
answer in a cache is wrong for a long time."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeVar

import orjson

from penstock_sidecar.cache.forms.form import NotUnderstood
from penstock_sidecar.dialects.framing import Framing
from penstock_sidecar.dialects.splitter import EventTooLarge, Splitter
from penstock_sidecar.dialects.sse import DONE
from penstock_sidecar.model import JsonObject, Usage

T = TypeVar("T")

FIRST_SEEN: Final = frozenset({"id", "created", "model", "system_fingerprint", "service_tier"})
"""Of a whole answer of OpenAI's; some providers count `created` up from chunk to chunk."""
DROPPED: Final = frozenset({"obfuscation", "x_groq"})
"""Of one chunk and no answer: OpenAI's padding, Groq's request id."""
MAX_PARTS: Final = 128
"""Choices, tool calls and unknown fields: OpenAI's own bound on `n` and on tools."""
PIECE_CHARACTERS: Final = 2000
"""Of text in one event: some clients read lines into a buffer of 64 KiB."""
BEYOND: Final = b"e+"
"""In every float from 1e16 on, as orjson writes it. It reads integers beyond 64 bits as such, and
nobody hears of it: several of them are the same float."""


class Frames:
    """A stream's documents, however its bytes were cut."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._splitter = Splitter(framing.end)
        self._pending = False
        """The splitter holds half a frame."""

    def documents(self, data: bytes) -> Iterator[JsonObject]:
        """Those that `data` completes. Comments, empty lines and `[DONE]` have none. Raises
        `NotUnderstood`."""
        for frame in (data,) if self._is_one(data) else self._split(data):
            payload = self._framing.payload(frame)
            if payload is None:
                require(not frame.strip() or frame.startswith(b":"))
            elif payload and payload != DONE:
                yield parsed(payload)

    def end(self) -> None:
        """Raises `NotUnderstood` where half a document is left."""
        require(not self._splitter.rest().strip())

    def _is_one(self, data: bytes) -> bool:
        """As a provider's frames come, one by one."""
        if self._pending:
            return False
        found = self._framing.end.search(data)
        return found is not None and found.end() == len(data)

    def _split(self, data: bytes) -> Iterator[bytes]:
        self._splitter.feed(data)
        try:
            while frame := self._splitter.next():
                yield frame
        except EventTooLarge:
            raise NotUnderstood from None
        self._pending = bool(self._splitter.rest())


def parsed(text: bytes) -> JsonObject:
    try:
        return object_in(orjson.loads(text))
    except orjson.JSONDecodeError:
        raise NotUnderstood from None


def is_exact(document: object, written: bytes) -> bool:
    """Whether its numbers are those that were sent; `written` is the same, written again."""
    return BEYOND not in written or _has_sent_numbers(document)


def _has_sent_numbers(value: object) -> bool:
    match value:
        case Mapping():
            return all(map(_has_sent_numbers, value.values()))
        case list():
            return all(map(_has_sent_numbers, value))
        case float():
            return abs(value) < 2**53
        case _:
            return True


def texts_of(text: str) -> Iterator[str]:
    """It, in pieces for one event each."""
    for start in range(0, len(text), PIECE_CHARACTERS):
        yield text[start : start + PIECE_CHARACTERS]


def event(document: object) -> bytes:
    """Server-sent, without a name."""
    return b"data: " + orjson.dumps(document) + b"\n\n"


def named_event(kind: str, fields: JsonObject) -> bytes:
    """The same with a name, which the document says too."""
    data = orjson.dumps({"type": kind, **fields})
    return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"


def part(parts: dict[int, T], document: JsonObject, make: Callable[[], T]) -> T:
    """The choice, block or tool call that the document's `index` names."""
    index = document.get("index")
    if type(index) is not int:
        raise NotUnderstood
    if index not in parts:
        require(len(parts) < MAX_PARTS)
        parts[index] = make()
    return parts[index]


def keep(fields: dict[str, object], name: str, value: object) -> object:
    """Keeps the first value that says something; returns it."""
    if value is None or value in ("", [], {}):
        return value
    require(name in fields or len(fields) < MAX_PARTS)
    return fields.setdefault(name, value)


def agree(fields: dict[str, object], name: str, value: object) -> None:
    """The same, where a later value must be equal to the first."""
    require(keep(fields, name, value) == value)


def object_in(value: object) -> JsonObject:
    if isinstance(value, Mapping):
        return value
    raise NotUnderstood


def list_in(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    raise NotUnderstood


def text_in(value: object) -> str:
    if isinstance(value, str):
        return value
    raise NotUnderstood


def require(fact: object) -> None:
    if not fact:
        raise NotUnderstood


def openai_usage(usage: Usage) -> dict[str, object]:
    """In the words of chat completions."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_input_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }
