"""The seam between the meter and a wire format: a provider type is one of these."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from re import compile as pattern
from typing import Any, Protocol

from tests.acceptance.metered.plan import Output
from tests.acceptance.metered.work import Asked

TAG = pattern(rb"#([0-9a-z-]+)#")
UNCAPPED = 4096
"""Output tokens where a request names no maximum."""
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Count:
    """Tokens as reported, all choices together."""

    input: int
    output: int
    reasoning: int


class Dialect(Protocol):
    """What one protocol calls things. Text is `x`, thoughts are `t`: a byte for each token."""

    path: str
    """As a route of aiohttp's."""
    stream_type: str
    plain_type: str
    in_band_error: bytes

    def read(self, raw: bytes, path: str, /) -> Asked: ...

    def opening(self, asked: Asked, count: Count | None, /) -> bytes:
        """What comes before the first piece of a stream."""

    def piece(self, asked: Asked, choice: int, text: str, /, *, thought: bool) -> bytes: ...

    def closing(self, asked: Asked, finish: str, count: Count | None, /) -> bytes:
        """What follows the last piece of a stream."""

    def plain(self, asked: Asked, whole: Output, shown: bool, count: Count | None, /) -> bytes:
        """`shown`: thoughts are in the answer."""

    def error(self, status: int) -> bytes: ...


def tag_of(raw: bytes) -> str:
    found = TAG.search(raw)
    return found[1].decode() if found else ""


def compact(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def text_bytes(*parts: object) -> int:
    """What the model reads, as compactly as it can be written."""
    return sum(len(compact(part)) for part in parts if part)


def finish_of(whole: Output) -> str:
    return "length" if whole.cut else "stop"
